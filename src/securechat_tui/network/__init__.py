"""asyncio: one connection drives one session; a listener with limits; a dialer."""
