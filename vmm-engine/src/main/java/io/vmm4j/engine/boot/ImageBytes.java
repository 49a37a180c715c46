package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.GZIPInputStream;

/**
 * The bytes of an image, read by position. Every read is checked against the image's size and names
 * the field it was for, so that a field that points beyond the end gives an error and not a huge
 * array. Little-endian.
 */
abstract sealed class ImageBytes implements Closeable {
  /** The largest kernel that is unpacked. */
  static final int MAX_UNPACKED_BYTES = 256 << 20;

  private final String name;
  private final long size;

  private ImageBytes(String name, long size) {
    this.name = name;
    this.size = size;
  }

  /**
   * Opens a file.
   *
   * @throws BootException if it can't be read
   */
  static ImageBytes open(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new BootException(
            file + (Files.exists(file) ? ": not a regular file" : ": there is no such file"));
      }
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      return new OfFile(file.toString(), channel);
    } catch (IOException e) {
      throw new BootException(file + ": can't be read: " + e.getMessage(), e);
    }
  }

  /**
   * Opens a kernel, which boot loaders take packed with gzip as well.
   *
   * @throws BootException if it can't be read or unpacked, or is larger than {@link
   *     #MAX_UNPACKED_BYTES} unpacked
   */
  static ImageBytes openKernel(Path file) {
    ImageBytes image = open(file);
    byte[] magic = image.head(2);
    if (magic.length < 2 || (magic[0] & 0xFF) != 0x1F || (magic[1] & 0xFF) != 0x8B) {
      return image;
    }
    image.close();
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file), 1 << 16)) {
      byte[] unpacked = in.readNBytes(MAX_UNPACKED_BYTES + 1);
      if (unpacked.length > MAX_UNPACKED_BYTES) {
        throw new BootException(
            file + ": unpacked it has more than " + MAX_UNPACKED_BYTES + " bytes");
      }
      return of(file + " (unpacked)", unpacked, unpacked.length);
    } catch (IOException e) {
      throw new BootException(file + ": can't be unpacked (gzip): " + e.getMessage(), e);
    }
  }

  /** The first {@code size} bytes of an array, under the name of where they come from. */
  static ImageBytes of(String name, byte[] bytes, int size) {
    return new OfArray(name, bytes, size);
  }

  /**
   * What lies in memory outside of the heap, under the name of where it comes from.
   *
   * @param owner what {@link #close} releases the memory with
   */
  static ImageBytes of(String name, MemorySegment memory, Arena owner) {
    return new OfMemory(name, memory, owner);
  }

  /** What to call it in messages. */
  String name() {
    return name;
  }

  /** Its size in bytes. */
  long size() {
    return size;
  }

  /** An error about this image. */
  BootException fault(String format, Object... arguments) {
    return new BootException(name + ": " + format.formatted(arguments));
  }

  /** Reads the first {@code length} bytes from {@code offset} on, for {@code what}. */
  void read(String what, long offset, byte[] target, int length) {
    require(what, offset, length);
    try {
      transfer(offset, target, length);
    } catch (IOException e) {
      throw new BootException("%s: %s can't be read: %s".formatted(name, what, e.getMessage()), e);
    }
  }

  /** Reads into a new array, of a length that is within the image. */
  byte[] read(String what, long offset, long length) {
    require(what, offset, length);
    if (length > Integer.MAX_VALUE - 8) {
      throw fault("%s: 0x%x bytes are more than this loader takes", what, length);
    }
    byte[] bytes = new byte[(int) length];
    read(what, offset, bytes, bytes.length);
    return bytes;
  }

  /** A view for reading fields of a structure, little-endian. */
  ByteBuffer fields(String what, long offset, long length) {
    return ByteBuffer.wrap(read(what, offset, length)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** As much of the beginning as there is, up to {@code length}. */
  byte[] head(int length) {
    return read("the beginning", 0, Math.min(length, size));
  }

  private void require(String what, long offset, long length) {
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      throw fault(
          "%s lies at offset 0x%x with 0x%x byte(s), but the image has only 0x%x",
          what, offset, length, size);
    }
  }

  abstract void transfer(long offset, byte[] target, int length) throws IOException;

  @Override
  public void close() {}

  private static final class OfFile extends ImageBytes {
    private final FileChannel channel;

    OfFile(String name, FileChannel channel) throws IOException {
      super(name, channel.size());
      this.channel = channel;
    }

    @Override
    void transfer(long offset, byte[] target, int length) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(target, 0, length);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, offset + buffer.position()) < 0) {
          throw new IOException("the file became shorter while it was read");
        }
      }
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw new BootException(name() + ": can't be closed: " + e.getMessage(), e);
      }
    }
  }

  private static final class OfArray extends ImageBytes {
    private final byte[] bytes;

    OfArray(String name, byte[] bytes, int size) {
      super(name, size);
      this.bytes = bytes;
    }

    @Override
    void transfer(long offset, byte[] target, int length) {
      System.arraycopy(bytes, (int) offset, target, 0, length);
    }
  }

  private static final class OfMemory extends ImageBytes {
    private final MemorySegment memory;
    private final Arena owner;

    OfMemory(String name, MemorySegment memory, Arena owner) {
      super(name, memory.byteSize());
      this.memory = memory;
      this.owner = owner;
    }

    @Override
    void transfer(long offset, byte[] target, int length) {
      MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, target, 0, length);
    }

    @Override
    public void close() {
      owner.close();
    }
  }
}
