package io.vmm4j.engine.boot;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.GZIPOutputStream;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.LZMAOutputStream;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/** Packs kernels as their build does. */
final class Packing {
  private Packing() {}

  /**
   * Packs an image, with its size behind it where the format has none.
   *
   * @param compression gzip, xz, lzma or lz4
   */
  static byte[] packed(String compression, byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    switch (compression) {
      case "gzip" -> write(new GZIPOutputStream(out), bytes);
      case "xz" -> {
        FilterOptions[] filters = {new X86Options(), new LZMA2Options()};
        write(new XZOutputStream(out, filters, XZ.CHECK_CRC32), bytes);
      }
      case "lzma" -> write(new LZMAOutputStream(out, new LZMA2Options(), -1), bytes);
      default -> out.writeBytes(lz4(bytes));
    }
    if (!compression.equals("gzip")) { // whose own trailer ends with the size
      out.writeBytes(Images.buffer(4).putInt(0, bytes.length).array());
    }
    return out.toByteArray();
  }

  private static void write(OutputStream stream, byte[] bytes) throws IOException {
    try (stream) {
      stream.write(bytes);
    }
  }

  /**
   * A legacy frame with two blocks: one of the first half as literals only, one that repeats a byte
   * of it by an overlapping match before the rest as literals.
   */
  private static byte[] lz4(byte[] bytes) {
    int half = bytes.length / 2;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(Images.buffer(4).putInt(0, 0x184C2102).array());
    block(out, literals(bytes, 0, half));
    // The second half begins at 0x180 with zeros up to the code at 0x200.
    ByteArrayOutputStream second = new ByteArrayOutputStream();
    second.write(0x1F); // 1 literal, a match of 19 or more
    second.write(bytes[half]);
    second.write(1);
    second.write(0); // distance 1
    second.write(Images.CODE_OFFSET - half - 1 - 19);
    second.writeBytes(literals(bytes, Images.CODE_OFFSET, bytes.length - Images.CODE_OFFSET));
    block(out, second.toByteArray());
    return out.toByteArray();
  }

  private static byte[] literals(byte[] bytes, int from, int count) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(0xF0);
    int rest = count - 15;
    for (; rest >= 255; rest -= 255) {
      out.write(255);
    }
    out.write(rest);
    out.write(bytes, from, count);
    return out.toByteArray();
  }

  private static void block(ByteArrayOutputStream out, byte[] block) {
    out.writeBytes(Images.buffer(4).putInt(0, block.length).array());
    out.writeBytes(block);
  }
}
