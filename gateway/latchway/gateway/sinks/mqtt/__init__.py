"""The sink `mqtt`: an MQTT 5 broker, CloudEvents in binary mode."""
