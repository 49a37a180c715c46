package io.vmm4j.devices.contract;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.MemoryPiece;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Guest physical memory: RAM that takes room only where it was written, and device memory. */
public final class FakeMemory implements GuestMemory {
  private static final int PAGE = 4096;

  private record Ram(long base, long length) {}

  private final String path;
  private final List<Ram> ram = new ArrayList<>();
  private final Map<Long, byte[]> pages = new HashMap<>();
  private final Map<String, Memory> memories = new LinkedHashMap<>();

  FakeMemory(String path) {
    this.path = path;
  }

  /** Adds RAM, in whole pages. */
  public void addRam(long base, MemorySize size) {
    ram.add(new Ram(base, size.bytes()));
  }

  void addAllRam(FakeMemory other) {
    ram.addAll(other.ram);
  }

  /** The device memory of a name. */
  public DeviceMemory deviceMemory(String name) {
    return Objects.requireNonNull(memories.get(name), name);
  }

  /** All mappings of device memory that the guest sees, as text. */
  public List<String> mappings() {
    return memories.values().stream()
        .flatMap(memory -> memory.mappings.values().stream())
        .filter(mapping -> mapping.access != GuestAccess.OFF)
        .map(Mapping::toString)
        .toList();
  }

  Optional<DeviceMemory> known(String name) {
    return Optional.ofNullable(memories.get(name));
  }

  Memory deviceMemory(String name, MemorySize size) {
    if (size.bytes() == 0 || size.bytes() % PAGE != 0) {
      throw new DeviceException(path, "device memory '" + name + "' of " + size);
    }
    Memory memory = memories.computeIfAbsent(name, n -> new Memory(n, size));
    if (!memory.size.equals(size)) {
      throw new DeviceException(
          path, "device memory '%s' has %s, not %s".formatted(name, memory.size, size));
    }
    return memory;
  }

  /** What a machine does with device memory when it is restored. */
  void copyFrom(FakeMemory other) {
    pages.clear();
    other.pages.forEach((page, bytes) -> pages.put(page, bytes.clone()));
    for (Memory from : other.memories.values()) {
      Memory to = deviceMemory(from.name, from.size);
      to.view.copyFrom(from.view);
      for (Mapping mapping : from.mappings.values()) {
        to.map(mapping.name, mapping.offset, mapping.length, mapping.address, mapping.access);
      }
    }
  }

  private Optional<Mapping> mappingAt(long address) {
    return memories.values().stream()
        .flatMap(memory -> memory.mappings.values().stream())
        .filter(mapping -> mapping.access != GuestAccess.OFF && mapping.covers(address))
        .findFirst();
  }

  private boolean isRam(long address) {
    return ram.stream().anyMatch(r -> address >= r.base && address - r.base < r.length);
  }

  private Optional<String> occupant(Mapping except, long base, long length) {
    for (Ram r : ram) {
      if (base < r.base + r.length && r.base < base + length) {
        return Optional.of("RAM");
      }
    }
    return memories.values().stream()
        .flatMap(memory -> memory.mappings.values().stream())
        .filter(m -> m != except && m.access != GuestAccess.OFF)
        .filter(m -> base < m.address + m.length && m.address < base + length)
        .map(Mapping::toString)
        .findFirst();
  }

  @Override
  public boolean contains(long address, long length) {
    long at = address;
    long end = address + length;
    while (at < end) {
      long from = at;
      Optional<Ram> range =
          ram.stream().filter(r -> from >= r.base && from - r.base < r.length).findFirst();
      if (range.isPresent()) {
        at = range.get().base + range.get().length;
      } else if (mappingAt(at).isPresent()) {
        Mapping mapping = mappingAt(at).orElseThrow();
        at = mapping.address + mapping.length;
      } else {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean isWritable(long address, long length) {
    return contains(address, length);
  }

  @Override
  public <X extends Exception> void readInPlace(long address, long length, MemoryPiece<X> reader)
      throws X {
    throw new UnsupportedOperationException();
  }

  @Override
  public <X extends Exception> void writeInPlace(long address, long length, MemoryPiece<X> writer)
      throws X {
    throw new UnsupportedOperationException();
  }

  @Override
  public void read(long address, byte[] target, int offset, int length) {
    if (!contains(address, length)) {
      throw new GuestMemoryException("read", address, length);
    }
    for (int i = 0; i < length; i++) {
      target[offset + i] = (byte) readByte(address + i);
    }
  }

  @Override
  public void write(long address, byte[] source, int offset, int length) {
    for (int i = 0; i < length; i++) {
      if (!isWritable(address + i)) {
        throw new GuestMemoryException("write", address, length);
      }
    }
    for (int i = 0; i < length; i++) {
      writeByte(address + i, source[offset + i]);
    }
  }

  private boolean isWritable(long address) {
    return mappingAt(address)
        .map(mapping -> mapping.access == GuestAccess.READ_WRITE)
        .orElseGet(() -> isRam(address));
  }

  @Override
  public int readByte(long address) {
    Optional<Mapping> mapping = mappingAt(address);
    if (mapping.isPresent()) {
      return mapping.get().view().get(ValueLayout.JAVA_BYTE, mapping.get().at(address)) & 0xFF;
    }
    if (!isRam(address)) {
      throw new GuestMemoryException("read", address, 1);
    }
    byte[] page = pages.get(address / PAGE);
    return page == null ? 0 : page[(int) (address % PAGE)] & 0xFF;
  }

  @Override
  public int readShort(long address) {
    return readByte(address) | readByte(address + 1) << 8;
  }

  @Override
  public int readInt(long address) {
    return readShort(address) | readShort(address + 2) << 16;
  }

  @Override
  public long readLong(long address) {
    return readInt(address) & 0xFFFF_FFFFL | (long) readInt(address + 4) << 32;
  }

  @Override
  public void writeByte(long address, int value) {
    if (!isWritable(address)) {
      throw new GuestMemoryException("write", address, 1);
    }
    Optional<Mapping> mapping = mappingAt(address);
    if (mapping.isPresent()) {
      mapping.get().view().set(ValueLayout.JAVA_BYTE, mapping.get().at(address), (byte) value);
    } else {
      pages.computeIfAbsent(address / PAGE, p -> new byte[PAGE])[(int) (address % PAGE)] =
          (byte) value;
    }
  }

  @Override
  public void writeShort(long address, int value) {
    writeByte(address, value);
    writeByte(address + 1, value >> 8);
  }

  @Override
  public void writeInt(long address, int value) {
    writeShort(address, value);
    writeShort(address + 2, value >> 16);
  }

  @Override
  public void writeLong(long address, long value) {
    writeInt(address, (int) value);
    writeInt(address + 4, (int) (value >> 32));
  }

  /** One piece of device memory. */
  private final class Memory implements DeviceMemory {
    private final String name;
    private final MemorySize size;
    private final MemorySegment view;
    private final Map<String, Mapping> mappings = new LinkedHashMap<>();

    Memory(String name, MemorySize size) {
      this.name = name;
      this.size = size;
      this.view = Arena.ofAuto().allocate(size.bytes(), PAGE);
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public MemorySize size() {
      return size;
    }

    @Override
    public MemorySegment view() {
      return view.asReadOnly();
    }

    @Override
    public MemorySegment writableView() {
      return view;
    }

    @Override
    public void written(long offset, long length) {}

    @Override
    public List<DeviceMemory.Range> takeDirty() {
      return List.of(new DeviceMemory.Range(0, size.bytes()));
    }

    @Override
    public void write(long offset, byte[] bytes) {
      MemorySegment.copy(bytes, 0, view, ValueLayout.JAVA_BYTE, offset, bytes.length);
    }

    @Override
    public DeviceMemoryMapping map(
        String mappingName, long offset, long length, long address, GuestAccess access) {
      Objects.checkFromIndexSize(offset, length, size.bytes());
      Mapping old = mappings.get(mappingName);
      Mapping mapping = new Mapping(this, mappingName, offset, length);
      if (old != null) {
        mapping = old;
        mapping.offset = offset;
        mapping.length = length;
      }
      mapping.remap(address, access);
      mappings.put(mappingName, mapping);
      return mapping;
    }
  }

  private final class Mapping implements DeviceMemoryMapping {
    private final Memory memory;
    private final String name;
    private long offset;
    private long length;
    private long address;
    private GuestAccess access = GuestAccess.OFF;

    Mapping(Memory memory, String name, long offset, long length) {
      this.memory = memory;
      this.name = name;
      this.offset = offset;
      this.length = length;
    }

    MemorySegment view() {
      return memory.view;
    }

    boolean covers(long guestAddress) {
      return guestAddress >= address && guestAddress - address < length;
    }

    long at(long guestAddress) {
      return offset + guestAddress - address;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long guestPhysicalAddress() {
      return address;
    }

    @Override
    public GuestAccess access() {
      return access;
    }

    @Override
    public boolean isSeen() {
      return access != GuestAccess.OFF && occupant(this, address, length).isEmpty();
    }

    @Override
    public void remap(long newAddress, GuestAccess newAccess) {
      if (newAddress % PAGE != 0) {
        throw new DeviceException(path, "not a whole page: 0x%x".formatted(newAddress));
      }
      address = newAddress;
      access = newAccess;
    }

    @Override
    public String toString() {
      return "%s/%s [0x%x, +0x%x) at 0x%x %s"
          .formatted(memory.name, name, offset, length, address, access);
    }
  }
}
