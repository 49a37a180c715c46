package io.vmm4j.socket;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A path at which no socket can be made. The message says why, without the path. */
public abstract sealed class SocketFileException extends IOException {
  private static final long serialVersionUID = 1L;

  private SocketFileException(String why, @Nullable Throwable cause) {
    super(why, cause);
  }

  /** A server listens at the path. */
  public static final class InUse extends SocketFileException {
    private static final long serialVersionUID = 1L;

    InUse() {
      super("another server listens there", null);
    }
  }

  /** The path holds another file, or no file can be made at it. */
  public static final class Unusable extends SocketFileException {
    private static final long serialVersionUID = 1L;

    Unusable(String why) {
      super(why, null);
    }

    Unusable(String why, Throwable cause) {
      super(why, cause);
    }

    static Unusable noDirectory(Path directory, Throwable cause) {
      return new Unusable("there is no directory " + directory, cause);
    }
  }
}
