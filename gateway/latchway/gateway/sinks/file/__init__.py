"""The sink `file`: JSON lines on the hub itself, rotated, synced before they count as sent."""
