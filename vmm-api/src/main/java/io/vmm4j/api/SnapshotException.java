package io.vmm4j.api;

/** A snapshot that can't be written, read or restored. Each kind says what to do about it. */
public sealed class SnapshotException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Which snapshot of a chain it is about; empty if it is the one that was asked for. */
  private String place = "";

  /** A failure that is none of the kinds below, such as one of the stream itself. */
  public SnapshotException(String message, Throwable cause) {
    super(message, cause);
  }

  private SnapshotException(String message) {
    super(message);
  }

  /**
   * Says that not the snapshot itself is at fault but one of its parents.
   *
   * @param parent its id, or its file
   */
  public final SnapshotException inParent(String parent) {
    place = "in the parent " + PrintableText.line(parent) + ": ";
    return this;
  }

  @Override
  public String getMessage() {
    return place + super.getMessage();
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

  /** It is a delta, and what was given as its parent is not the snapshot it names. */
  public static final class WrongParent extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /**
     * Names the delta's id, and describes the parent that it names and what was found.
     *
     * @param expected its id and memory digest
     * @param found the same of what was given, as far as it was read
     */
    public WrongParent(String deltaId, String expected, String found) {
      super(
          "the snapshot %s is a delta of %s, but given was %s; give it the parent it names"
              .formatted(deltaId, expected, found));
    }
  }

  /** It is a delta whose parents lead back to itself or to one another. */
  public static final class ParentLoop extends SnapshotException {
    private static final long serialVersionUID = 1L;

    /** Names a snapshot that is its own ancestor. */
    public ParentLoop(String id) {
      super(
          "the snapshot " + id + " is its own ancestor; one of its chain is not what was written");
    }
  }
}
