package io.vmm4j.engine.memory;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.MemoryFaultException;
import io.vmm4j.snapshot.SharedFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * All memory of one machine: RAM from offset 0, then an area from which device memory is taken,
 * piece by piece. It is one mapping, so that a backend needs one base; pages that nobody wrote take
 * no room. No restricted method is called.
 *
 * <p>It begins as zeros, or as an image that it shares copy-on-write. Which pages are still as they
 * began is known from {@link #dirty} and {@link #versions}: reading them leaves the mapping alone,
 * where a look would fill the page.
 */
public final class MachineMemory implements AutoCloseable {
  /** The most device memory of a machine that is not sparse, all of which the host has room for. */
  public static final long DEVICE_MEMORY_BYTES = VmSpec.MAX_DEVICE_MEMORY.bytes();

  private static final int PAGE = 4096;
  private static final int ZEROS_BYTES = 64 << 10;

  private final Arena arena;
  private final MemorySegment segment;
  private final long ramBytes;
  private final long guestBytes;
  private final Optional<BackingFile> file;
  private final Optional<MemoryImage> image;
  private final PageVersions versions;
  private final DirtyPages dirty;

  /** Pages written before the last harvest, guarded by itself; only of memory with its own file. */
  private final BitSet harvested = new BitSet();

  /**
   * Pages that were given back to the host at some time; what is read of them are no mapped holes.
   */
  private final DirtyPages discarded;

  private final Set<String> placed = new HashSet<>();
  private long deviceMemoryEnd;
  private long sparseEnd;

  private boolean closed;

  private MachineMemory(
      Arena arena,
      MemorySegment segment,
      long ramBytes,
      long guestBytes,
      long deviceMemoryEnd,
      long sparseEnd,
      Optional<BackingFile> file,
      Optional<MemoryImage> image) {
    this.arena = arena;
    this.segment = segment;
    this.ramBytes = ramBytes;
    this.guestBytes = guestBytes;
    this.deviceMemoryEnd = deviceMemoryEnd;
    this.sparseEnd = sparseEnd;
    this.file = file;
    this.image = image;
    this.versions =
        image.map(i -> i.versions().copy()).orElseGet(() -> PageVersions.of(segment.byteSize()));
    this.dirty = new DirtyPages(segment.byteSize());
    this.discarded = new DirtyPages(segment.byteSize());
    file.ifPresent(own -> own.countWritten(this::writtenBytes));
  }

  /**
   * Memory of zeros.
   *
   * @param host where there is room for it
   * @param ramBytes a multiple of 4 KiB
   * @param sparseBytes of device memory that no guest sees, and of which little may be written, a
   *     multiple of 4 KiB
   * @throws VmException if the host has not the room
   */
  public static MachineMemory allocate(HostRoom host, long ramBytes, long sparseBytes) {
    long guestBytes = ramBytes + DEVICE_MEMORY_BYTES;
    BackingFile file = host.create(guestBytes + sparseBytes, ramBytes);
    Arena arena = Arena.ofShared();
    try {
      return new MachineMemory(
          arena,
          file.map(arena),
          ramBytes,
          guestBytes,
          ramBytes,
          guestBytes,
          Optional.of(file),
          Optional.empty());
    } catch (IOException e) {
      arena.close();
      file.close();
      throw new VmException("cannot map " + MemorySize.bytes(ramBytes) + " of memory", e);
    }
  }

  /** Memory that begins as an image, which is kept until this is closed. */
  public static MachineMemory copyOnWrite(MemoryImage image, long ramBytes) {
    Arena arena = Arena.ofShared();
    image.retain();
    try {
      MemorySegment segment = image.mapPrivate(arena);
      return new MachineMemory(
          arena,
          segment,
          ramBytes,
          image.guestBytes(),
          image.usedGuestBytes(),
          Math.max(image.guestBytes(), image.usedBytes()),
          Optional.empty(),
          Optional.of(image));
    } catch (IOException | RuntimeException e) {
      arena.close();
      image.release();
      throw e instanceof RuntimeException known
          ? known
          : new VmException(
              "cannot map %s of memory; the host has %s of RAM and swap space"
                  .formatted(
                      MemorySize.bytes(image.size()),
                      MemorySize.mebibytes(HostRoom.mappableBytes() >> 20)),
              e);
    }
  }

  private long writtenBytes() {
    BitSet written = dirty.look();
    synchronized (harvested) {
      written.or(harvested);
    }
    written.andNot(discarded.look()); // they may be written again
    return (long) written.cardinality() * PAGE;
  }

  /**
   * What an error means that was thrown by an access to the memory: if the host could not give a
   * page, an error that says so and names the file system or the file; else the error itself.
   */
  public Throwable explain(Throwable thrown) {
    if (!SharedFile.isFault(thrown) && !(thrown instanceof MemoryFaultException)) {
      return thrown;
    }
    return file.map(own -> own.explain(thrown))
        .or(() -> image.map(shared -> shared.explain(thrown)))
        .orElseThrow();
  }

  /** The error to throw for one that an access to the memory has thrown: {@link #explain}. */
  RuntimeException failure(InternalError thrown) {
    if (explain(thrown) instanceof RuntimeException explained) {
      return explained;
    }
    throw thrown;
  }

  /** RAM and device memory. Any thread; valid until {@link #close}. */
  public MemorySegment segment() {
    return segment;
  }

  /** What guests may see: RAM and device memory that is not sparse. */
  public MemorySegment guestSegment() {
    return segment.asSlice(0, guestBytes);
  }

  /** Whether a place may be seen by a guest. */
  public boolean isGuestVisible(long offset) {
    return offset < guestBytes;
  }

  /** The size of RAM. */
  public long ramBytes() {
    return ramBytes;
  }

  /** What was written since the last {@link #harvest}. Who writes to the segment says so here. */
  public DirtyPages dirty() {
    return dirty;
  }

  /** The versions of the pages as of the last {@link #harvest}. While no guest code runs. */
  public PageVersions versions() {
    return versions;
  }

  /**
   * Gives what was written since the last call a new version. While no guest code runs, and after
   * the backend has named what it has written.
   *
   * @return the pages
   */
  public BitSet harvest() {
    BitSet written;
    synchronized (harvested) {
      written = dirty.take();
      if (file.isPresent()) {
        harvested.or(written);
      }
    }
    versions.advance(written);
    return written;
  }

  /**
   * Says that the contents of pages are those of another state now, after they were written here.
   *
   * @param state related to {@link #versions}
   */
  public void become(PageVersions state, BitSet pages) {
    versions.become(state, pages);
  }

  /** Copies out. While guest code runs, a page may be copied half changed; it is dirty then. */
  public void read(long offset, byte[] target, int length) throws IOException {
    int done = 0;
    while (done < length) {
      boolean touched = isTouched(offset + done);
      int end = done;
      do {
        end = (int) Math.min(length, ((offset + end) / PAGE + 1) * PAGE - offset);
      } while (end < length && isTouched(offset + end) == touched);
      if (touched) {
        copyTouched(offset + done, target, done, end - done);
      } else if (image.isPresent()) {
        image.get().read(offset + done, target, done, end - done);
      } else {
        Arrays.fill(target, done, end, (byte) 0);
      }
      done = end;
    }
  }

  /** Copies out pages that have been written; those that were given back may be holes. */
  private void copyTouched(long offset, byte[] target, int at, int length) throws IOException {
    int done = 0;
    while (done < length) {
      boolean hole = isHole(offset + done);
      int end = done;
      do {
        end = (int) Math.min(length, ((offset + end) / PAGE + 1) * PAGE - offset);
      } while (end < length && isHole(offset + end) == hole);
      if (hole) {
        file.orElseThrow().read(offset + done, target, at + done, end - done);
      } else {
        copyOut(offset + done, target, at + done, end - done);
      }
      done = end;
    }
  }

  /** Whether a look through the mapping might fill a hole of the file. */
  private boolean isHole(long offset) {
    return file.isPresent() && discarded.isMarked((int) (offset / PAGE));
  }

  /** Gives pages of the mapping back to the host: {@code BackendMachine.releasePages}. */
  @FunctionalInterface
  public interface PageReleaser {
    /** Gives them back; whether it was done. */
    boolean release(long offset, long length, boolean shared);
  }

  /**
   * Makes whole pages zeros, and gives them back to the host as far as it can. Those that are known
   * to be zeros are left alone. What has changed is not noted as written.
   *
   * @return the pages that were changed
   */
  BitSet discard(long offset, long length, PageReleaser releaser) {
    BitSet changed = new BitSet();
    int end = (int) ((offset + length) / PAGE);
    int page = (int) ((offset + PAGE - 1) / PAGE);
    while (page < end) {
      int from = page;
      boolean zero = isZero(page);
      boolean releasable = isReleasable(page);
      do {
        page++;
      } while (page < end && isZero(page) == zero && isReleasable(page) == releasable);
      if (!zero) {
        changed.set(from, page);
        makeZeros((long) from * PAGE, (long) (page - from) * PAGE, releasable, releaser);
      }
    }
    return changed;
  }

  /** Whether a page is of zeros once the host has it back. */
  private boolean isReleasable(int page) {
    return image.map(shared -> shared.isZero(page)).orElse(true);
  }

  private void makeZeros(long offset, long length, boolean releasable, PageReleaser releaser) {
    if (releasable && releaser.release(offset, length, file.isPresent())) {
      discarded.mark(offset, length);
      return;
    }
    byte[] zeros = new byte[(int) Math.min(length, ZEROS_BYTES)];
    for (long done = 0; done < length; done += zeros.length) {
      write(offset + done, zeros, 0, (int) Math.min(zeros.length, length - done));
    }
  }

  private void copyOut(long offset, byte[] target, int targetOffset, int length) {
    try {
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, offset, target, targetOffset, length);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw failure(e);
    }
  }

  private boolean isTouched(long offset) {
    int page = (int) (offset / PAGE);
    return dirty.isMarked(page)
        || !(image.isPresent()
            ? versions.isSame(page, image.get().versions())
            : versions.isFirst(page));
  }

  /** Takes pages out that are known to be of zeros. While no guest code runs, or roughly. */
  public void clearZeros(BitSet pages) {
    int all = Math.toIntExact(segment.byteSize() / PAGE);
    int end;
    for (int first = pages.nextSetBit(0); first >= 0; first = pages.nextSetBit(end)) {
      end = Math.min(all, (first / PageVersions.CHUNK + 1) * PageVersions.CHUNK);
      if (!isAsItBegan(first, end)) {
        for (int page = first; page < end; page++) {
          if (isZero(page)) {
            pages.clear(page);
          }
        }
      } else if (image.isEmpty()) {
        pages.clear(first, end);
      } else {
        for (int page = first; page < end; page++) {
          int filled = Math.min(end, image.get().nextFilled(page));
          pages.clear(page, filled);
          page = filled;
        }
      }
    }
  }

  /** Whether whole pages are known to be of zeros; false where it is not known. */
  public boolean isKnownZero(long offset, int length) {
    BitSet pages = new BitSet();
    pages.set((int) (offset / PAGE), (int) ((offset + length) / PAGE));
    clearZeros(pages);
    return pages.isEmpty();
  }

  /** Whether nothing was written to pages of one chunk; false where it may have been. */
  private boolean isAsItBegan(int first, int end) {
    return !dirty.isAnyMarked(first, end)
        && (image.isPresent()
            ? versions.isChunkSame(first, image.get().versions())
            : versions.isChunkFirst(first));
  }

  /** Whether a page is known to be of zeros; false where it is not known. */
  public boolean isZero(int page) {
    return !isTouched((long) page * PAGE) && image.map(i -> i.isZero(page)).orElse(true);
  }

  /** Copies in, without a note that it was written. While no guest code runs. */
  public void write(long offset, byte[] source, int sourceOffset, int length) {
    try {
      MemorySegment.copy(source, sourceOffset, segment, ValueLayout.JAVA_BYTE, offset, length);
      SharedFile.throwFaultNow();
    } catch (InternalError e) {
      throw failure(e);
    }
  }

  /**
   * The place of a piece of device memory: that of the image, or one taken from the free area.
   *
   * @param region the name under which it stands in a snapshot
   * @param bytes a multiple of 4 KiB, more than 0
   * @param sparse whether the host keeps no room for it, until {@link #keepRoom}
   * @return its offset in {@link #segment}
   * @throws VmException if there is no room; nothing is taken
   */
  public synchronized long allocateDeviceMemory(String region, long bytes, boolean sparse) {
    if (bytes <= 0 || bytes % PAGE != 0) {
      throw new VmException(bytes + " bytes is not a positive multiple of 4 KiB");
    }
    // Once: a device that has gone and comes again may find its first place taken.
    OptionalLong known =
        placed.add(region)
            ? image.map(i -> i.offsetOf(region, bytes)).orElseGet(OptionalLong::empty)
            : OptionalLong.empty();
    if (known.isPresent()) {
      return known.getAsLong();
    }
    if (sparse && bytes <= segment.byteSize() - sparseEnd) {
      long offset = sparseEnd;
      sparseEnd += bytes;
      return offset;
    }
    // A device that has come later has its sparse memory among the rest.
    if (bytes > guestBytes - deviceMemoryEnd) {
      throw new VmException(
          "%s of device memory exceed what is left of %s"
              .formatted(MemorySize.bytes(bytes), MemorySize.bytes(DEVICE_MEMORY_BYTES)));
    }
    if (!sparse) {
      keepRoom(bytes);
    }
    long offset = deviceMemoryEnd;
    deviceMemoryEnd += bytes;
    return offset;
  }

  /**
   * Has the host keep room for more of what may be written. What is shared with an image has none
   * kept.
   *
   * @throws VmException if there is no room
   */
  public void keepRoom(long bytes) {
    file.ifPresent(own -> own.keepRoom(bytes, "device memory"));
  }

  /** Unmaps it and gives its room back; no thread uses it any more. May be called repeatedly. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      arena.close();
      file.ifPresent(BackingFile::close);
      image.ifPresent(MemoryImage::unmapped);
      image.ifPresent(MemoryImage::release);
    }
  }
}
