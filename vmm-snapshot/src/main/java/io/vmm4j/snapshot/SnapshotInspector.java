package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.state.FieldMap;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks into a snapshot without running it: the machine, its devices and their fields, and its
 * memory as the guest sees it. No device module is needed.
 *
 * {@snippet :
 * try (SnapshotInspector snapshot = SnapshotInspector.open(Path.of("ready.vmm"))) {
 *   snapshot.device("com1").ifPresent(com1 -> print(com1.stateFields()));
 *   CpuState cpu = snapshot.vcpu(0);
 *   byte[] code = snapshot.read(cpu.rip(), 16);       // a guest physical address
 * }
 * }
 *
 * <p>The snapshot is read once, to its end, and may be hostile: limits hold as for every reader. Of
 * a damaged one all that comes before the damage is there; {@link #fault} says what is wrong. The
 * memory is kept in a temporary file without a name, which takes as much room as is not zero, until
 * this is closed. What only asks for the machine and the states needs {@link SnapshotInspection}
 * alone, which keeps no memory.
 *
 * <p>Immutable; safe for any thread. After {@link #close} the memory can't be read.
 */
public final class SnapshotInspector implements AutoCloseable {

  /**
   * A device with its configuration and state.
   *
   * @param path its place in the machine
   * @param type the type of its factory
   * @param configVersion the version of its configuration's schema
   * @param configFields its configuration
   * @param stateVersion the version of its state's schema; 0 if its state is not there
   * @param stateFields its state; empty if that is not there
   */
  public record Device(
      String path,
      String type,
      int configVersion,
      FieldMap configFields,
      int stateVersion,
      FieldMap stateFields) {}

  /**
   * Memory that the guest sees in one piece.
   *
   * @param guestPhysicalAddress where it begins
   * @param length in bytes
   * @param region the memory: {@code ram} or {@code device:<path>/<name>}
   * @param regionOffset where the piece begins in the region
   * @param access what the guest may do there
   */
  public record MemoryRange(
      long guestPhysicalAddress,
      long length,
      String region,
      long regionOffset,
      GuestAccess access) {

    /** The first address behind it. */
    public long end() {
      return guestPhysicalAddress + length;
    }

    MemoryRange cut(long from, long to) {
      return new MemoryRange(
          from, to - from, region, regionOffset + from - guestPhysicalAddress, access);
    }
  }

  private final SnapshotInspection inspection;
  private final ScratchMemory memory;
  private final Optional<GuestAddressSpace> addresses;

  private SnapshotInspector(SnapshotInspection inspection, ScratchMemory memory) {
    this.inspection = inspection;
    this.memory = memory;
    this.addresses =
        inspection.machine().map(machine -> new GuestAddressSpace(machine, inspection.mappings()));
  }

  /** Reads a whole snapshot from a file, within the standard limits. */
  public static SnapshotInspector open(Path file) throws IOException {
    return open(file, SnapshotLimits.standard(), SnapshotResolver.none());
  }

  /**
   * Reads a snapshot from a file.
   *
   * @param parents opens the parents, if it is a delta
   */
  public static SnapshotInspector open(Path file, SnapshotLimits limits, SnapshotResolver parents)
      throws IOException {
    try (InputStream in = new BufferedInputStream(SnapshotPath.open(file), 1 << 16)) {
      return read(in, limits, parents);
    }
  }

  /**
   * Reads a snapshot from a stream, to the end of its footer or to the damage.
   *
   * @param parents opens the parents, if it is a delta
   * @throws IOException if the stream fails
   */
  public static SnapshotInspector read(
      InputStream in, SnapshotLimits limits, SnapshotResolver parents) throws IOException {
    ScratchMemory memory = new ScratchMemory();
    try {
      SnapshotInspection inspection =
          memory.fill(
              () -> SnapshotInspection.of(in, limits, reader -> reader.read(memory, parents)));
      return new SnapshotInspector(inspection, memory);
    } catch (Throwable e) {
      memory.close();
      throw e;
    }
  }

  /** All that it says, chunk by chunk. */
  public SnapshotInspection inspection() {
    return inspection;
  }

  /** Whether the snapshot is whole: every checksum is right, and so is the footer. */
  public boolean whole() {
    return inspection.whole();
  }

  /** Why it is not whole; absent if it is. */
  public Optional<SnapshotException> fault() {
    return inspection.fault();
  }

  /**
   * What it says of itself.
   *
   * @throws SnapshotException the {@link #fault}, if it is not even a snapshot
   */
  public Prologue prologue() {
    return inspection.prologue().orElseThrow(this::unreadable);
  }

  /**
   * The machine's configuration.
   *
   * @throws SnapshotException the {@link #fault}, if the damage is before it
   */
  public MachineDescription machine() {
    return inspection.machine().orElseThrow(this::unreadable);
  }

  private SnapshotException unreadable() {
    return fault().orElseThrow();
  }

  /** All devices, in the order of attachment. */
  public List<Device> devices() {
    List<Device> devices = new ArrayList<>();
    for (MachineDescription.Device device : machine().devices()) {
      Optional<StateChunk> state = state(device.type(), device.path());
      devices.add(
          new Device(
              device.path(),
              device.type(),
              device.configVersion(),
              device.config(),
              state.map(StateChunk::version).orElse(0),
              state.map(StateChunk::fields).orElse(FieldMap.of(Map.of()))));
    }
    return devices;
  }

  /** The device of a path. */
  public Optional<Device> device(String path) {
    return devices().stream().filter(device -> device.path().equals(path)).findFirst();
  }

  /** A state by its type and path. */
  public Optional<StateChunk> state(String type, String path) {
    return inspection.states().stream()
        .filter(state -> state.type().equals(type) && state.path().equals(path))
        .findFirst();
  }

  /**
   * The architectural state of a vCPU.
   *
   * @throws IllegalArgumentException if it is not there
   * @throws SnapshotException of the kind that fits, if this version can't read it
   */
  public CpuState vcpu(int index) {
    return state(MachineSchemas.VCPU_TYPE, MachineSchemas.VCPU_TYPE + "/" + index)
        .orElseThrow(() -> new IllegalArgumentException("the snapshot has no vCPU " + index))
        .decode(MachineSchemas.CPU);
  }

  /**
   * What the guest sees where, by address: RAM, and device memory that is mapped, which hides the
   * RAM below it. What is not here is the devices' registers, or nobody's.
   */
  public List<MemoryRange> memoryMap() {
    return addresses.map(GuestAddressSpace::ranges).orElse(List.of());
  }

  /**
   * Reads memory as the guest sees it.
   *
   * @param length 0 to what an array holds
   * @throws GuestMemoryException if there is no memory at one of the addresses
   */
  public byte[] read(long guestPhysicalAddress, int length) {
    byte[] bytes = new byte[length];
    int done = 0;
    while (done < length) {
      long at = guestPhysicalAddress + done;
      MemoryRange range =
          addresses
              .flatMap(space -> space.at(at))
              .orElseThrow(() -> new GuestMemoryException("read", guestPhysicalAddress, length));
      int piece = (int) Math.min(length - done, range.end() - at);
      MemorySegment.copy(
          region(range.region()),
          ValueLayout.JAVA_BYTE,
          range.regionOffset() + at - range.guestPhysicalAddress(),
          bytes,
          done,
          piece);
      done += piece;
    }
    return bytes;
  }

  /**
   * The memory of a region, read only, until this is closed.
   *
   * @throws IllegalArgumentException if there is none of the name
   */
  public MemorySegment region(String name) {
    MemorySegment region = memory.regions().get(name);
    if (region == null) {
      throw new IllegalArgumentException("the snapshot has no memory region '" + name + "'");
    }
    return region.asReadOnly();
  }

  /**
   * The SHA-256 of each page of a region that is not all zeros, in hexadecimal, by the page's
   * offset.
   *
   * @throws IllegalArgumentException if there is no such region
   */
  public Map<Long, String> pageDigests(String region) {
    MemorySegment contents = region(region);
    MessageDigest sha256 = ChunkOutput.sha256();
    Map<Long, String> digests = new LinkedHashMap<>();
    byte[] page = new byte[SnapshotFormat.PAGE_BYTES];
    for (long at = 0; at < contents.byteSize(); at += page.length) {
      MemorySegment.copy(contents, ValueLayout.JAVA_BYTE, at, page, 0, page.length);
      if (!isZero(page)) {
        digests.put(at, HexFormat.of().formatHex(sha256.digest(page)));
      }
    }
    return digests;
  }

  private static boolean isZero(byte[] page) {
    for (byte b : page) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Releases the memory. May be called more than once. */
  @Override
  public void close() {
    try {
      memory.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
