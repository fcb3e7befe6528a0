"""The Lambda service: a function's runtimes on one side, those who invoke it on the other."""
