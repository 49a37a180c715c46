package io.vmm4j.software.cpu;

/**
 * An exception of the guest on its way to the run loop: carries nothing (the vector and the error
 * code are in the {@link Cpu}), has no stack trace, and is allocated once.
 */
public final class CpuFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CpuFault() {
    super("guest exception", null, false, false);
  }
}
