package io.vmm4j.kvm;

import io.vmm4j.api.VmException;

/** The kernel has refused a call; the message names the call and the error. */
final class KvmException extends VmException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  KvmException(String call, int errno) {
    super("%s failed: %s (errno %d)".formatted(call, Libc.describe(errno), errno));
    this.errno = errno;
  }

  int errno() {
    return errno;
  }
}
