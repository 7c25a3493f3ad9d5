"""The lab's screens. They use widgets of the product's screen; the product knows nothing of them."""
