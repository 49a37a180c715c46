package io.vmm4j.engine.memory;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * All memory of one machine: RAM from offset 0, then an area of {@link #DEVICE_MEMORY_BYTES} from
 * which device memory is taken, piece by piece. It is one sparse mapping, so that a backend needs
 * one base; pages that nobody wrote take no room. No restricted method is called.
 */
public final class MachineMemory implements AutoCloseable {
  /** The most device memory of a machine: 512 MiB of address space, used only where written. */
  public static final long DEVICE_MEMORY_BYTES = 512L << 20;

  private static final long PAGE = 4096;

  private final Arena arena;
  private final BackingFile file;
  private final MemorySegment segment;
  private final long ramBytes;
  private long deviceMemoryEnd;
  private boolean closed;

  private MachineMemory(Arena arena, BackingFile file, MemorySegment segment, long ramBytes) {
    this.arena = arena;
    this.file = file;
    this.segment = segment;
    this.ramBytes = ramBytes;
    this.deviceMemoryEnd = ramBytes;
  }

  /**
   * Memory of zeros.
   *
   * @param ramBytes a multiple of 4 KiB
   * @throws VmException if the host has not the room
   */
  public static MachineMemory allocate(long ramBytes) {
    BackingFile file = BackingFile.create(ramBytes + DEVICE_MEMORY_BYTES, ramBytes);
    Arena arena = Arena.ofShared();
    try {
      return new MachineMemory(arena, file, file.map(arena), ramBytes);
    } catch (IOException e) {
      arena.close();
      file.close();
      throw new VmException("cannot map " + MemorySize.bytes(ramBytes) + " of memory", e);
    }
  }

  /** RAM and device memory. Any thread; valid until {@link #close}. */
  public MemorySegment segment() {
    return segment;
  }

  /** The same contents by position, for looking at holes without filling them. */
  public BackingFile file() {
    return file;
  }

  /** The size of RAM. */
  public long ramBytes() {
    return ramBytes;
  }

  /**
   * Takes a piece of the device memory area.
   *
   * @param bytes a multiple of 4 KiB, more than 0
   * @return its offset in {@link #segment}
   * @throws VmException if there is no room; nothing is taken
   */
  public synchronized long allocateDeviceMemory(long bytes) {
    if (bytes <= 0 || bytes % PAGE != 0) {
      throw new VmException(bytes + " bytes is not a positive multiple of 4 KiB");
    }
    long left = segment.byteSize() - deviceMemoryEnd;
    if (bytes > left) {
      throw new VmException(
          "%s of device memory exceed what is left of %s"
              .formatted(MemorySize.bytes(bytes), MemorySize.bytes(DEVICE_MEMORY_BYTES)));
    }
    try {
      if (file.usableSpace() < bytes) {
        throw new VmException(
            "the host has no room for %s of device memory".formatted(MemorySize.bytes(bytes)));
      }
    } catch (IOException e) {
      throw new VmException("cannot tell how much room the host has for device memory", e);
    }
    long offset = deviceMemoryEnd;
    deviceMemoryEnd += bytes;
    return offset;
  }

  /** Unmaps it and gives its room back; no thread uses it any more. May be called repeatedly. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      arena.close();
      file.close();
    }
  }
}
