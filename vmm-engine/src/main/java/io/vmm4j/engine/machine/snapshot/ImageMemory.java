package io.vmm4j.engine.machine.snapshot;

import io.vmm4j.api.HostMemoryException;
import io.vmm4j.api.VmException;
import io.vmm4j.engine.memory.BackingFile;
import io.vmm4j.engine.memory.HostRoom;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.engine.memory.MemoryImage;
import io.vmm4j.engine.memory.PageVersions;
import io.vmm4j.snapshot.MachineDescription;
import io.vmm4j.snapshot.MappedSnapshot;
import io.vmm4j.snapshot.MemoryDigest;
import io.vmm4j.snapshot.MemorySource;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * The memory of a machine at one moment, in a sparse file of which only pages that are not zero
 * take room, or in a user's file that is mapped: a snapshot's own copy, which machines made from it
 * share copy-on-write. It lies as in the machine: RAM from offset 0, then device memory, then room
 * for device memory to come.
 */
public final class ImageMemory implements MemoryImage {
  /** How much is looked at in one go. */
  private static final int BLOCK = 1 << 20;

  static final int PAGE = 4096;
  private static final byte[] ZEROS = new byte[PAGE];

  /** Where a region lies. */
  public record Place(long offset, long bytes) {}

  private final ImageStorage storage;
  private final Map<String, Place> places;
  private final long usedBytes;
  private final long guestBytes;
  private PageVersions versions;

  /** Pages that may be something else than zeros. */
  private final BitSet filled = new BitSet();

  /** How many bytes were read into it. */
  private final AtomicLong read = new AtomicLong();

  private int holders = 1;
  private int mappings;

  private ImageMemory(
      ImageStorage storage, Map<String, Place> places, long guestBytes, PageVersions versions) {
    this.storage = storage;
    this.guestBytes = guestBytes;
    this.places = places;
    this.versions = versions;
    this.usedBytes = usedBytes(places, true);
  }

  private static long usedBytes(Map<String, Place> places, boolean sparseToo) {
    return places.entrySet().stream()
        .filter(each -> sparseToo || !MachineDescription.isSparse(each.getKey()))
        .mapToLong(each -> each.getValue().offset + each.getValue().bytes)
        .max()
        .orElse(0);
  }

  /**
   * Memory of zeros for regions that are read from a stream.
   *
   * @param host where there is room for them
   * @throws VmException if the host has not the room
   */
  public static ImageMemory create(HostRoom host, List<MachineDescription.Region> regions) {
    Map<String, Place> places = new LinkedHashMap<>();
    long used = 0;
    long ram = 0;
    for (MachineDescription.Region region : inOrder(regions)) {
      if (!MachineDescription.isSparse(region.name())) {
        places.put(region.name(), new Place(used, region.bytes()));
        used += region.bytes();
        ram += region.name().equals(MachineDescription.RAM) ? region.bytes() : 0;
      }
    }
    long guestBytes = Math.max(used, ram + MachineMemory.DEVICE_MEMORY_BYTES);
    long end = guestBytes;
    for (MachineDescription.Region region : regions) {
      if (MachineDescription.isSparse(region.name())) {
        places.put(region.name(), new Place(end, region.bytes()));
        end += region.bytes();
      }
    }
    // Sparse memory may hold much or little: it takes room as it is read.
    BackingFile file = host.create(end, used);
    ImageMemory image =
        new ImageMemory(
            new ImageStorage.Own(file), places, guestBytes, PageVersions.of(file.size()));
    file.countWritten(image.read::get);
    return image;
  }

  /**
   * The memory of a file in the mapped layout, which belongs to the image from now on.
   *
   * @return absent if the file can't be mapped privately, or its RAM is not the first; then it is
   *     for the caller to close
   */
  public static Optional<ImageMemory> mapped(Path path, MappedSnapshot file) throws IOException {
    List<MachineDescription.Region> regions = file.plan().machine().regions();
    if (!file.isWritable() || !regions.equals(inOrder(regions))) {
      return Optional.empty();
    }
    Map<String, Place> places = new LinkedHashMap<>();
    for (MachineDescription.Region region : regions) {
      places.put(region.name(), new Place(file.regionOffset(region.name()), region.bytes()));
    }
    ImageMemory image =
        new ImageMemory(
            new MappedStorage(path, file),
            places,
            usedBytes(places, false),
            PageVersions.of(file.imageBytes()));
    image.filled.set(0, Math.toIntExact(file.imageBytes() / PAGE));
    return Optional.of(image);
  }

  /** RAM, then device memory that guests may see, then sparse memory. */
  private static List<MachineDescription.Region> inOrder(List<MachineDescription.Region> regions) {
    return regions.stream()
        .sorted(
            Comparator.comparing(
                    (MachineDescription.Region r) -> !r.name().equals(MachineDescription.RAM))
                .thenComparing(r -> MachineDescription.isSparse(r.name())))
        .toList();
  }

  /**
   * Memory of zeros for what is to be copied from a machine, up to {@link #complete}.
   *
   * @param host where there is room for it
   * @param places where its regions lie in its memory
   * @throws VmException if the host has not the room for what is not known to be of zeros
   */
  public static ImageMemory of(HostRoom host, MachineMemory memory, Map<String, Place> places) {
    BitSet pages = pages(places);
    memory.clearZeros(pages);
    BackingFile file = host.create(memory.segment().byteSize(), (long) pages.cardinality() * PAGE);
    return new ImageMemory(
        new ImageStorage.Own(file),
        new LinkedHashMap<>(places),
        memory.guestSegment().byteSize(),
        memory.versions());
  }

  /** The pages of all regions. */
  BitSet pages() {
    return pages(places);
  }

  private static BitSet pages(Map<String, Place> places) {
    BitSet pages = new BitSet();
    for (Place place : places.values()) {
      pages.set((int) (place.offset / PAGE), (int) ((place.offset + place.bytes) / PAGE));
    }
    return pages;
  }

  /** Where each region lies. */
  public Map<String, Place> places() {
    return places;
  }

  /** The regions mapped for as long as the arena lives, to be filled. */
  public Map<String, MemorySegment> map(Arena arena) throws IOException {
    MemorySegment whole = storage.mapShared(arena);
    Map<String, MemorySegment> segments = new LinkedHashMap<>();
    places.forEach((name, place) -> {
      segments.put(name, whole.asSlice(place.offset, place.bytes));
      filled.set((int) (place.offset / PAGE), (int) ((place.offset + place.bytes) / PAGE));
    });
    return segments;
  }

  /**
   * Says that so many bytes more of a region are going to be written through what {@link #map} has
   * given.
   *
   * @throws VmException if the host has not the room for what is sparse
   */
  public void filling(String region, long bytes) {
    if (MachineDescription.isSparse(region)) {
      storage.keepRoom(bytes);
    }
    read.addAndGet(bytes);
  }

  /** Notes which blocks are of zeros, as far as the digest of the contents tells. */
  public void noteZeros(MemoryDigest contents) {
    places.forEach((name, place) -> {
      for (long at = 0; at < place.bytes; at += MemoryDigest.blockBytes()) {
        if (contents.isZero(name, at)) {
          long end = Math.min(at + MemoryDigest.blockBytes(), place.bytes);
          filled.clear((int) ((place.offset + at) / PAGE), (int) ((place.offset + end) / PAGE));
        }
      }
    });
  }

  // ---- being filled ----

  /**
   * Copies from the machine, for which this was made, every page that is not known to be of zeros.
   *
   * @return how many pages were copied
   */
  public long copyAll(MachineMemory from) {
    BitSet pages = pages();
    from.clearZeros(pages);
    copy(from, pages);
    return pages.cardinality();
  }

  /** Copies pages from the machine for which this was made, over what is here. */
  public void copy(MachineMemory from, BitSet pages) {
    byte[] block = new byte[BLOCK];
    try {
      int end;
      for (int first = pages.nextSetBit(0); first >= 0; first = pages.nextSetBit(end)) {
        end = Math.min(pages.nextClearBit(first), first + BLOCK / PAGE);
        from.read((long) first * PAGE, block, (end - first) * PAGE);
        write(first, block, end - first);
      }
    } catch (IOException e) {
      throw new VmException("cannot copy the machine's memory: " + e.getMessage(), e);
    }
  }

  /** Says that the copy is done, the machine standing: it has the machine's versions. */
  public void complete(MachineMemory from) {
    versions = from.versions().copy();
    storage.giveBackRoom();
  }

  /** Says that all of it has been read through what {@link #map} gave. */
  public void completeRead() {
    storage.giveBackRoom();
  }

  /** Writes pages, leaving out those of zeros where nothing else was before. */
  private void write(int first, byte[] block, int count) throws IOException {
    int at = 0;
    while (at < count) {
      while (at < count && !filled.get(first + at) && isZero(block, at)) {
        at++;
      }
      int from = at;
      while (at < count && (filled.get(first + at) || !isZero(block, at))) {
        filled.set(first + at++);
      }
      if (at > from) {
        storage.write((long) (first + from) * PAGE, block, from * PAGE, (at - from) * PAGE);
      }
    }
  }

  private static boolean isZero(byte[] block, int page) {
    return Arrays.equals(block, page * PAGE, (page + 1) * PAGE, ZEROS, 0, PAGE);
  }

  // ---- being read ----

  @Override
  public long size() {
    return storage.size();
  }

  @Override
  public long usedBytes() {
    return usedBytes;
  }

  @Override
  public long guestBytes() {
    return guestBytes;
  }

  @Override
  public long usedGuestBytes() {
    return places.values().stream()
        .filter(place -> place.offset < guestBytes)
        .mapToLong(place -> place.offset + place.bytes)
        .max()
        .orElse(0);
  }

  @Override
  public PageVersions versions() {
    return versions;
  }

  @Override
  public OptionalLong offsetOf(String region, long bytes) {
    Place place = places.get(region);
    return place != null && place.bytes == bytes
        ? OptionalLong.of(place.offset)
        : OptionalLong.empty();
  }

  @Override
  public boolean isZero(int page) {
    return !filled.get(page);
  }

  @Override
  public int nextFilled(int page) {
    int next = filled.nextSetBit(page);
    return next < 0 ? Integer.MAX_VALUE : next;
  }

  /**
   * {@inheritDoc}
   *
   * @throws VmException if the host has not the room for the holes: a look fills one
   */
  @Override
  public synchronized MemorySegment mapPrivate(Arena arena) throws IOException {
    if (mappings == 0) {
      storage.keepRoomForHoles(holes());
    }
    mappings++;
    try {
      return storage.mapPrivate(arena);
    } catch (IOException | RuntimeException | Error e) {
      unmapped();
      throw e;
    }
  }

  /**
   * How much room holes may take when they are looked at; nobody looks at those of sparse memory.
   */
  private long holes() {
    long used = usedGuestBytes();
    return used - (long) filled.get(0, (int) (used / PAGE)).cardinality() * PAGE;
  }

  @Override
  public synchronized void unmapped() {
    mappings--;
    if (mappings == 0) {
      storage.giveBackRoom();
    }
  }

  @Override
  public HostMemoryException explain(Throwable fault) {
    return storage.explain(fault);
  }

  @Override
  public void read(long offset, byte[] target, int targetOffset, int length) throws IOException {
    storage.read(offset, target, targetOffset, length);
  }

  /** The contents of a region for a writer. */
  public MemorySource source(String region) {
    Place place = places.get(region);
    return source(
        place,
        this::read,
        (page, end) -> {
          int next = filled.nextSetBit(page);
          return next < 0 || next >= end;
        });
  }

  /** A place in a machine's memory as the source of a writer. */
  public static MemorySource source(Place place, MachineMemory memory) {
    return source(
        place,
        (offset, target, targetOffset, length) -> memory.read(offset, target, length),
        (page, end) -> IntStream.range(page, end).allMatch(memory::isZero));
  }

  private interface Reader {
    void read(long offset, byte[] target, int targetOffset, int length) throws IOException;
  }

  /** Tells whether pages are known to be of zeros. */
  private interface Zeros {
    boolean are(int page, int end);
  }

  private static MemorySource source(Place place, Reader reader, Zeros zeros) {
    return new MemorySource() {
      @Override
      public long size() {
        return place.bytes;
      }

      @Override
      public MemorySegment piece(long offset, MemorySegment buffer, int length) throws IOException {
        byte[] bytes = new byte[length];
        reader.read(place.offset + offset, bytes, 0, length);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        return buffer.asSlice(0, length);
      }

      @Override
      public boolean isZero(long offset, int length) {
        long from = place.offset + offset;
        return zeros.are((int) (from / PAGE), (int) ((from + length) / PAGE));
      }
    };
  }

  /** The pages of this image that may differ from those of the same regions in another. */
  public BitSet differences(ImageMemory other) {
    if (versions.isRelatedTo(other.versions)) {
      return versions.differences(other.versions);
    }
    BitSet different = new BitSet();
    try {
      for (Map.Entry<String, Place> region : places.entrySet()) {
        Optional<Place> theirs = Optional.ofNullable(other.places.get(region.getKey()));
        compare(other, region.getValue(), theirs, different);
      }
    } catch (IOException e) {
      throw new VmException("cannot compare memory: " + e.getMessage(), e);
    }
    return different;
  }

  private void compare(ImageMemory other, Place our, Optional<Place> their, BitSet different)
      throws IOException {
    byte[] one = new byte[BLOCK];
    byte[] two = new byte[BLOCK];
    for (long done = 0; done < our.bytes; done += BLOCK) {
      int length = (int) Math.min(BLOCK, our.bytes - done);
      if (isHole(our.offset + done, length)
          && (their.isEmpty() || other.isHole(their.get().offset + done, length))) {
        continue;
      }
      Arrays.fill(two, (byte) 0);
      read(our.offset + done, one, 0, length);
      if (their.isPresent()) {
        other.read(their.get().offset + done, two, 0, length);
      }
      for (int at = 0; at < length; at += PAGE) {
        if (!Arrays.equals(one, at, at + PAGE, two, at, at + PAGE)) {
          different.set((int) ((our.offset + done + at) / PAGE));
        }
      }
    }
  }

  boolean isHole(long offset, int length) {
    return nextFilled((int) (offset / PAGE)) >= (offset + length) / PAGE;
  }

  @Override
  public synchronized void retain() {
    if (holders == 0) {
      throw new IllegalStateException("the image is released");
    }
    holders++;
  }

  @Override
  public synchronized void release() {
    if (holders > 0 && --holders == 0) {
      storage.close();
    }
  }
}
