package io.vmm4j.engine.boot;

import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.MemoryPiece;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Guest memory in an array, from address 0: what a loader fills in these tests. */
final class ArrayMemory implements GuestMemory {
  private final ByteBuffer bytes;

  ArrayMemory(int size) {
    bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public boolean contains(long address, long length) {
    return address >= 0 && length >= 0 && address <= bytes.capacity() - length;
  }

  @Override
  public void read(long address, byte[] target, int offset, int length) {
    bytes.get(at("read", address, length), target, offset, length);
  }

  @Override
  public void write(long address, byte[] source, int offset, int length) {
    bytes.put(at("write", address, length), source, offset, length);
  }

  @Override
  public boolean isWritable(long address, long length) {
    return contains(address, length);
  }

  @Override
  public <X extends Exception> void readInPlace(long address, long length, MemoryPiece<X> reader)
      throws X {
    reader.accept(slice("read", address, length).asReadOnly());
  }

  @Override
  public <X extends Exception> void writeInPlace(long address, long length, MemoryPiece<X> writer)
      throws X {
    writer.accept(slice("write", address, length));
  }

  private MemorySegment slice(String access, long address, long length) {
    return MemorySegment.ofBuffer(bytes).asSlice(at(access, address, length), length);
  }

  @Override
  public int readByte(long address) {
    return bytes.get(at("read", address, 1)) & 0xFF;
  }

  @Override
  public int readShort(long address) {
    return bytes.getShort(at("read", address, 2)) & 0xFFFF;
  }

  @Override
  public int readInt(long address) {
    return bytes.getInt(at("read", address, 4));
  }

  @Override
  public long readLong(long address) {
    return bytes.getLong(at("read", address, 8));
  }

  @Override
  public void writeByte(long address, int value) {
    bytes.put(at("write", address, 1), (byte) value);
  }

  @Override
  public void writeShort(long address, int value) {
    bytes.putShort(at("write", address, 2), (short) value);
  }

  @Override
  public void writeInt(long address, int value) {
    bytes.putInt(at("write", address, 4), value);
  }

  @Override
  public void writeLong(long address, long value) {
    bytes.putLong(at("write", address, 8), value);
  }

  private int at(String access, long address, long length) {
    if (!contains(address, length)) {
      throw new GuestMemoryException(access, address, length);
    }
    return (int) address;
  }
}
