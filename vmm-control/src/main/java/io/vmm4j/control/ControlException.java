package io.vmm4j.control;

import io.vmm4j.api.VmException;
import io.vmm4j.socket.SocketFileException;
import java.nio.file.Path;

/** A control socket that can't be opened or reached, or a command that it refused. */
public sealed class ControlException extends VmException {
  private static final long serialVersionUID = 1L;

  private ControlException(String message) {
    super(message);
  }

  private ControlException(String message, Throwable cause) {
    super(message, cause);
  }

  static ControlException of(Path path, SocketFileException failure) {
    return switch (failure) {
      case SocketFileException.InUse inUse -> new InUse(path);
      case SocketFileException.Unusable unusable ->
          new Socket(path, String.valueOf(unusable.getMessage()), unusable);
    };
  }

  /** Another server listens there. */
  public static final class InUse extends ControlException {
    private static final long serialVersionUID = 1L;

    InUse(Path path) {
      super("control socket %s: another machine listens there".formatted(path));
    }
  }

  /** The socket can't be opened or reached: the message says why. */
  public static final class Socket extends ControlException {
    private static final long serialVersionUID = 1L;

    Socket(Path path, String why) {
      super("control socket %s: %s".formatted(path, why));
    }

    Socket(Path path, String why, Throwable cause) {
      super("control socket %s: %s".formatted(path, why), cause);
    }
  }

  /** The server did not do what was asked. */
  public static final class Refused extends ControlException {
    private static final long serialVersionUID = 1L;

    private final String type;

    Refused(String type, String message) {
      super(message);
      this.type = type;
    }

    /** The kind of error, such as {@code busy}; docs/control.md lists them. */
    public String type() {
      return type;
    }
  }
}
