"""How a CloudEvent travels: structured JSON, MQTT 5 and HTTP. Each module encodes and decodes."""
