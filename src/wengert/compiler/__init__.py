"""The compiler: programs that are recorded once run again as native code."""
