"""The systems that wengert speaks: programs written for them run unchanged on its engine."""
