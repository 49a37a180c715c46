package io.vmm4j.software.machinecode;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers in code. */
final class Bytes {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  static int get32(byte[] bytes, int at) {
    return (int) INT.get(bytes, at);
  }

  static void put32(byte[] bytes, int at, int value) {
    INT.set(bytes, at, value);
  }
}
