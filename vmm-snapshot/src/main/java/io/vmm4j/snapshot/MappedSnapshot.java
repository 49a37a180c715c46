package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;

/**
 * A file in the mapped layout, opened to map its memory instead of reading it. All but the memory
 * is read and checked; of that only that the file has it. Its checksum, its digest and that of the
 * file are not: to check them read the file as a stream.
 *
 * {@snippet :
 * Optional<MappedSnapshot> mapped = MappedSnapshot.open(file, SnapshotLimits.standard());
 * if (mapped.isPresent()) {
 *   try (MappedSnapshot snapshot = mapped.get()) {
 *     Optional<MemorySegment> memory = snapshot.mapPrivately(arena);
 *   }
 * }
 * }
 *
 * <p>Who maps a file sees what others write to it later, page by page, until the page was written
 * to by himself; if it is cut short, an access faults. So keep it from being written to, and ask
 * {@link #state} to notice if it was: that sees every change that moves the size or the time of the
 * last modification, and misses one made within the resolution of that time, one whose maker set
 * the time back, and one through a mapping that has not reached the file yet. Safe for several
 * threads, of which none can close it for the others by being interrupted.
 */
public final class MappedSnapshot implements AutoCloseable {

  /** What has become of the file since it was opened. */
  public enum State {
    /** It is the same, as far as can be told. */
    SAME,
    /**
     * The path leads to another file now, or to none, as after an atomic replacement. The file that
     * was opened lives on as long as this is open or mapped, and can't be watched any more.
     */
    REPLACED,
    /** It has been written to or cut. */
    CHANGED
  }

  private record Identity(Optional<Object> key, long size, long modifiedNanos) {
    static Identity of(Path path) throws IOException {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return new Identity(
          Optional.ofNullable(attributes.fileKey()),
          attributes.size(),
          attributes.lastModifiedTime().to(java.util.concurrent.TimeUnit.NANOSECONDS));
    }
  }

  private final Path path;
  private final SharedFile file;
  private final Identity identity;
  private final SnapshotPlan plan;
  private final MemoryImage image;

  private MappedSnapshot(
      Path path, SharedFile file, Identity identity, SnapshotPlan plan, MemoryImage image) {
    this.path = path;
    this.file = file;
    this.identity = identity;
    this.plan = plan;
    this.image = image;
  }

  /**
   * Opens a file.
   *
   * @return absent if it is a snapshot in the other layout, or no regular file, such as a pipe, of
   *     which nothing was read: read it as a stream
   * @throws SnapshotException of the kind that fits, if the file is no snapshot, is too short, or
   *     can't be read within the limits
   * @throws IOException if it can't be opened or read, or was written to meanwhile
   */
  public static Optional<MappedSnapshot> open(Path path, SnapshotLimits limits) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString());
    }
    if (!Files.isRegularFile(path)) {
      return Optional.empty();
    }
    Identity identity = Identity.of(path);
    SharedFile file = SharedFile.open(path);
    try {
      Optional<MappedSnapshot> opened = read(path, file, identity, limits);
      if (opened.isEmpty()) {
        file.close();
      }
      return opened;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static Optional<MappedSnapshot> read(
      Path path, SharedFile file, Identity identity, SnapshotLimits limits) throws IOException {
    SnapshotReader reader =
        new SnapshotReader(
            new PositionedInput(file), limits, new SnapshotReader.Listener() {}, true);
    Prologue prologue = reader.prologue();
    if (!prologue.features().contains(SnapshotFormat.MAPPED)) {
      return Optional.empty();
    }
    SnapshotPlan plan =
        reader.contents(prologue, reader.machine(), java.util.Map.of(), Optional.empty());
    MappedSnapshot opened =
        new MappedSnapshot(path, file, identity, plan, reader.image().orElseThrow());
    if (opened.state() != State.SAME) {
      throw new FileSystemException(path.toString(), null, "it was changed while it was opened");
    }
    return Optional.of(opened);
  }

  /**
   * What the snapshot says. Its make-up and its memory's digest are absent; the footer's digests
   * are there as stated, and not checked.
   */
  public SnapshotPlan plan() {
    return plan;
  }

  /** Where the memory begins in the file, a multiple of 4096. */
  public long imagePosition() {
    return image.position();
  }

  /** The size of the memory: all regions, one after the other in the order of the machine. */
  public long imageBytes() {
    return image.bytes();
  }

  /** Where a region begins in the memory. */
  public long regionOffset(String region) {
    long offset = 0;
    for (MachineDescription.Region each : plan.machine().regions()) {
      if (each.name().equals(region)) {
        return offset;
      }
      offset += each.bytes();
    }
    throw new IllegalArgumentException("there is no memory region '" + region + "'");
  }

  /** The contents of a region, read from the file. */
  public MemorySource source(String region) {
    long offset = regionOffset(region);
    long bytes =
        plan.machine().regions().stream()
            .filter(each -> each.name().equals(region))
            .findFirst()
            .orElseThrow()
            .bytes();
    return MemorySource.of(file, image.position() + offset, bytes);
  }

  /** Whether the file may be written to, without which the JDK maps nothing privately. */
  public boolean isWritable() {
    return file.isWritable();
  }

  /**
   * Maps the memory copy-on-write: what is written to it stays private and never reaches the file.
   *
   * @param arena for as long as which it stays mapped, whether this is closed or not; not confined
   *     to a thread
   * @return absent if the file may not be written to: the JDK refuses such a mapping of it then
   */
  public Optional<MemorySegment> mapPrivately(Arena arena) throws IOException {
    return file.isWritable()
        ? Optional.of(file.map(FileChannel.MapMode.PRIVATE, image.position(), image.bytes(), arena))
        : Optional.empty();
  }

  /** Maps the memory to be read only, in an arena that is not confined to a thread. */
  public MemorySegment mapReadOnly(Arena arena) throws IOException {
    return file.map(FileChannel.MapMode.READ_ONLY, image.position(), image.bytes(), arena);
  }

  /** Whether the file is the same as when it was opened, as far as can be told. */
  public boolean stillTheSame() {
    return state() == State.SAME;
  }

  /** What has become of the file since it was opened. */
  public State state() {
    Identity now;
    try {
      now = Identity.of(path);
      if (file.size() != identity.size()) {
        return State.CHANGED;
      }
    } catch (IOException e) {
      // Nothing is found under the path any more.
      return State.REPLACED;
    }
    if (!Objects.equals(now.key(), identity.key())) {
      return State.REPLACED;
    }
    return now.equals(identity) ? State.SAME : State.CHANGED;
  }

  /** Closes the file; mappings live on. */
  @Override
  public void close() throws IOException {
    file.close();
  }

  /** A file read by position, which is skipped without being read. */
  private static final class PositionedInput extends InputStream {
    private final SharedFile file;
    private final byte[] buffer = new byte[1 << 16];
    private int at;
    private int end;
    private long position;

    PositionedInput(SharedFile file) {
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (at == end) {
        int n = file.readSome(position, buffer, 0, buffer.length);
        if (n < 0) {
          return -1;
        }
        at = 0;
        end = n;
        position += n;
      }
      int n = Math.min(length, end - at);
      System.arraycopy(buffer, at, target, offset, n);
      at += n;
      return n;
    }

    @Override
    public long skip(long length) throws IOException {
      int buffered = (int) Math.min(end - at, length);
      at += buffered;
      long further = Math.max(0, Math.min(length - buffered, file.size() - position));
      position += further;
      return buffered + further;
    }
  }
}
