package io.vmm4j.gdb;

import io.vmm4j.api.VmException;
import java.net.SocketAddress;

/** A place where debuggers can't be listened for. */
public final class GdbException extends VmException {
  private static final long serialVersionUID = 1L;

  GdbException(SocketAddress address, String why) {
    super("debugger's port %s: %s".formatted(address, why));
  }

  GdbException(SocketAddress address, String why, Throwable cause) {
    super("debugger's port %s: %s".formatted(address, why), cause);
  }
}
