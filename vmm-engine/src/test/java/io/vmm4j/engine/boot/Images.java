package io.vmm4j.engine.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Small boot images, put together field by field. */
final class Images {
  /** {@code mov al, 0x2a; out 0xf4, al; hlt}: the same bytes in 16, 32 and 64-bit code. */
  static final byte[] EXIT_42 = {(byte) 0xB0, 0x2A, (byte) 0xE6, (byte) 0xF4, (byte) 0xF4};

  static final int LOAD_ADDRESS = 0x10_0000;
  static final int CODE_OFFSET = 0x200;
  static final int HEADER_OFFSET = 0x100;
  static final int NOTE_OFFSET = 0x140;

  private Images() {}

  static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** An ELF32 with one segment, which holds the whole file, and {@link #EXIT_42} at its entry. */
  static ByteBuffer elf32() {
    ByteBuffer elf = buffer(0x300);
    elf.put(0, new byte[] {0x7F, 'E', 'L', 'F', 1, 1, 1});
    elf.putShort(16, (short) 2);
    elf.putShort(18, (short) 3);
    elf.putInt(20, 1);
    elf.putInt(24, LOAD_ADDRESS + CODE_OFFSET);
    elf.putInt(28, 52);
    elf.putShort(40, (short) 52);
    elf.putShort(42, (short) 32);
    elf.putShort(44, (short) 2);
    elf.putInt(52, 1); // PT_LOAD
    elf.putInt(52 + 8, LOAD_ADDRESS);
    elf.putInt(52 + 12, LOAD_ADDRESS);
    elf.putInt(52 + 16, 0x300);
    elf.putInt(52 + 20, 0x1000);
    elf.putInt(52 + 24, 7);
    elf.put(CODE_OFFSET, EXIT_42);
    return elf;
  }

  /** An ELF64 with one segment, likewise. */
  static ByteBuffer elf64() {
    ByteBuffer elf = buffer(0x300);
    elf.put(0, new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1});
    elf.putShort(16, (short) 2);
    elf.putShort(18, (short) 62);
    elf.putInt(20, 1);
    elf.putLong(24, LOAD_ADDRESS + CODE_OFFSET);
    elf.putLong(32, 64);
    elf.putShort(52, (short) 64);
    elf.putShort(54, (short) 56);
    elf.putShort(56, (short) 2);
    elf.putInt(64, 1); // PT_LOAD
    elf.putInt(64 + 4, 7);
    elf.putLong(64 + 16, LOAD_ADDRESS);
    elf.putLong(64 + 24, LOAD_ADDRESS);
    elf.putLong(64 + 32, 0x300);
    elf.putLong(64 + 40, 0x1000);
    elf.put(CODE_OFFSET, EXIT_42);
    return elf;
  }

  /** The same with a PVH note in its second program header. */
  static ByteBuffer withPvhNote(ByteBuffer elf) {
    boolean wide = elf.get(4) == 2;
    int header = wide ? 64 + 56 : 52 + 32;
    elf.putInt(header, 4); // PT_NOTE
    if (wide) {
      elf.putLong(header + 8, NOTE_OFFSET);
      elf.putLong(header + 32, 24);
    } else {
      elf.putInt(header + 4, NOTE_OFFSET);
      elf.putInt(header + 16, 24);
    }
    elf.putInt(NOTE_OFFSET, 4);
    elf.putInt(NOTE_OFFSET + 4, wide ? 8 : 4);
    elf.putInt(NOTE_OFFSET + 8, 18);
    elf.put(NOTE_OFFSET + 12, "Xen\0".getBytes(StandardCharsets.US_ASCII));
    elf.putInt(NOTE_OFFSET + 16, LOAD_ADDRESS + CODE_OFFSET);
    return elf;
  }

  /** The same with a Multiboot header. */
  static ByteBuffer withMultibootHeader(ByteBuffer image, int flags) {
    image.putInt(HEADER_OFFSET, 0x1BADB002);
    image.putInt(HEADER_OFFSET + 4, flags);
    image.putInt(HEADER_OFFSET + 8, -(0x1BADB002 + flags));
    return image;
  }

  /** A flat Multiboot image that tells its own addresses, of 0x300 bytes. */
  static ByteBuffer flatMultiboot() {
    ByteBuffer image = withMultibootHeader(buffer(0x300), 1 << 16);
    image.putInt(HEADER_OFFSET + 12, LOAD_ADDRESS + HEADER_OFFSET);
    image.putInt(HEADER_OFFSET + 16, LOAD_ADDRESS);
    image.putInt(HEADER_OFFSET + 20, LOAD_ADDRESS + 0x300);
    image.putInt(HEADER_OFFSET + 24, LOAD_ADDRESS + 0x2000);
    image.putInt(HEADER_OFFSET + 28, LOAD_ADDRESS + CODE_OFFSET);
    image.put(CODE_OFFSET, EXIT_42);
    return image;
  }

  /** A bzImage of protocol 2.15, relocatable, with {@code payload} in its protected-mode part. */
  static ByteBuffer bzImage(byte[] payload) {
    int begin = 2 * 512;
    int payloadOffset = 0x300;
    ByteBuffer image = buffer(begin + payloadOffset + payload.length);
    image.put(0x1F1, (byte) 1); // setup_sects
    image.putShort(0x1FE, (short) 0xAA55);
    image.put(0x201, (byte) 0x6A);
    image.putInt(0x202, 0x53726448);
    image.putShort(0x206, (short) 0x20F);
    image.put(0x211, (byte) 0b11); // LOADED_HIGH and KASLR
    image.putInt(0x22C, 0x7FFFFFFF);
    image.put(0x234, (byte) 1); // relocatable
    image.putShort(0x236, (short) 1); // XLF_KERNEL_64
    image.putInt(0x238, 64); // cmdline_size
    image.putInt(0x248, payloadOffset);
    image.putInt(0x24C, payload.length);
    image.putLong(0x258, LOAD_ADDRESS); // pref_address
    image.putInt(0x260, 0x8000); // init_size
    image.put(begin + 0x200, EXIT_42);
    image.put(begin + payloadOffset, payload);
    return image;
  }
}
