"""What goes over the wire for one short call, a kept connection and a session: captured, taken apart and explained."""
