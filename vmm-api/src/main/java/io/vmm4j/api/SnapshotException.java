package io.vmm4j.api;

/** A snapshot that can't be written, read or restored. Each kind says what to do about it. */
public sealed class SnapshotException extends VmException {
  private static final long serialVersionUID = 1L;

  /** A failure that is none of the kinds below, such as one of the stream itself. */
  public SnapshotException(String message, Throwable cause) {
    super(message, cause);
  }

  private SnapshotException(String message) {
    super(message);
  }

  /** Written in a version older than this library reads. */
  public static final class TooOld extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /** Names the thing, its version, and the oldest that is read. */
    public TooOld(String what, long found, long oldestSupported) {
      super(
          "%s has version %d, older than %d, the oldest this version reads; restore it with the release that wrote it"
              .formatted(what, found, oldestSupported));
    }
  }

  /** Written in a version newer than this library knows. */
  public static final class TooNew extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /** Names the thing, its version, and the newest that is read. */
    public TooNew(String what, long found, long newestSupported) {
      super(
          "%s has version %d, newer than %d, the newest this version reads; use a newer release"
              .formatted(what, found, newestSupported));
    }
  }

  /** The bytes are not what was written, or never were a snapshot. */
  public static final class Corrupt extends SnapshotException {
    private static final long serialVersionUID = 1L;

    private final long offset;

    /** Names the place, in bytes from the start of the stream. */
    public Corrupt(long offset, String what) {
      super("corrupt snapshot at offset " + offset + ": " + what);
      this.offset = offset;
    }

    /** Where, in bytes from the start of the stream; the nearest item boundary if not exact. */
    public long offset() {
      return offset;
    }
  }

  /** The stream ends before the footer. */
  public static final class Truncated extends SnapshotException {
    private static final long serialVersionUID = 1L;

    private final long offset;

    /** Names the place where the stream ended. */
    public Truncated(long offset, String what) {
      super("truncated snapshot: the stream ends at offset " + offset + " " + what);
      this.offset = offset;
    }

    /** Where the stream ended, in bytes from its start. */
    public long offset() {
      return offset;
    }
  }

  /** It holds a device of a type that nothing here can build. */
  public static final class MissingDevice extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /** Names the device's path and type. */
    public MissingDevice(String path, String type) {
      super(
          "the snapshot holds device '%s' of type '%s', for which no device factory is present; put its module on the module path"
              .formatted(path, type));
    }
  }

  /** It asks for something this host, backend or library can't give. */
  public static final class Incompatible extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /** Names the feature and what is missing. */
    public Incompatible(String feature, String why) {
      super("incompatible snapshot: " + feature + ": " + why);
    }
  }

  /** It is a delta whose parent is not given. */
  public static final class MissingParent extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /** Names the parent's id. */
    public MissingParent(String parentId) {
      super("the snapshot is a delta; its parent " + parentId + " is needed and was not given");
    }
  }
}
