package io.vmm4j.network;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Big-endian words in an array. */
final class Words {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private Words() {}

  static int get16(byte[] bytes, int offset) {
    return (short) SHORT.get(bytes, offset) & 0xFFFF;
  }

  static int get32(byte[] bytes, int offset) {
    return (int) INT.get(bytes, offset);
  }

  static long get48(byte[] bytes, int offset) {
    return (long) get16(bytes, offset) << 32 | get32(bytes, offset + 2) & 0xFFFF_FFFFL;
  }

  static void put16(byte[] bytes, int offset, int value) {
    SHORT.set(bytes, offset, (short) value);
  }

  static void put32(byte[] bytes, int offset, int value) {
    INT.set(bytes, offset, value);
  }

  static void put48(byte[] bytes, int offset, long value) {
    put16(bytes, offset, (int) (value >>> 32));
    put32(bytes, offset + 2, (int) value);
  }
}
