"""Programs that benchmarks run in the virtual machine of the hardware tests."""
