package io.vmm4j.devices.virtioblock;

import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.api.memory.ScatterGather;
import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.virtio.BadQueueException;
import io.vmm4j.devices.virtio.Chain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** A request of the driver (virtio 1.2, 5.2.6): read with the lock, done without it. */
final class BlockRequest {
  static final int SECTOR_BYTES = 512;

  /** The most sectors of one discard or write of zeros. */
  static final int MOST_ZERO_SECTORS = 1 << 16;

  /** The most ranges of one discard or write of zeros. */
  static final int MOST_ZERO_RANGES = 16;

  private static final int HEADER_BYTES = 16;
  private static final int RANGE_BYTES = 16;
  private static final int ID_BYTES = 20;

  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int FLUSH = 4;
  private static final int GET_ID = 8;
  private static final int DISCARD = 11;
  private static final int WRITE_ZEROES = 13;

  private static final int OK = 0;
  private static final int IO_ERROR = 1;
  private static final int UNSUPPORTED = 2;

  private final Chain chain;
  private final Consumer<IOException> failures;
  private final BlockStorage storage;
  private final String serial;
  private final int type;
  private final long sector;
  private long written;

  /**
   * Reads what is asked for.
   *
   * @param failures told of what can't be read or written
   * @throws BadQueueException if it is no request
   */
  BlockRequest(Chain chain, Consumer<IOException> failures, BlockStorage storage, String serial) {
    this.chain = chain;
    this.failures = failures;
    this.storage = storage;
    this.serial = serial;
    if (chain.readable().length() < HEADER_BYTES || chain.writable().length() < 1) {
      throw new BadQueueException("a request without header or status");
    }
    byte[] header = new byte[HEADER_BYTES];
    try {
      chain.readable().read(0, header, 0, HEADER_BYTES);
    } catch (GuestMemoryException e) {
      throw new BadQueueException("a request: " + e.getMessage());
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    this.type = fields.getInt(0);
    this.sector = fields.getLong(8);
  }

  Chain chain() {
    return chain;
  }

  /** How many bytes of the guest's memory were written, the status included. */
  long written() {
    return written;
  }

  /** Does it, and puts down the status. */
  void work() {
    int status;
    try {
      status = perform();
    } catch (IOException e) {
      failures.accept(e);
      status = IO_ERROR;
    } catch (GuestMemoryException e) {
      status = IO_ERROR; // the guest has taken the memory away meanwhile
    }
    ScatterGather writable = chain.writable();
    try {
      writable.write(writable.length() - 1, new byte[] {(byte) status}, 0, 1);
      written++;
    } catch (GuestMemoryException e) {
      written = 0;
    }
  }

  private int perform() throws IOException {
    return switch (type) {
      case IN -> read();
      case OUT -> write();
      case FLUSH -> {
        storage.flush();
        yield OK;
      }
      case GET_ID -> identify();
      case DISCARD, WRITE_ZEROES -> zero();
      default -> UNSUPPORTED;
    };
  }

  private boolean fits(long first, long bytes) {
    long sectors = storage.sizeBytes() / SECTOR_BYTES;
    return bytes % SECTOR_BYTES == 0
        && first >= 0
        && first <= sectors
        && bytes / SECTOR_BYTES <= sectors - first;
  }

  private int read() throws IOException {
    long bytes = chain.writable().length() - 1;
    if (!fits(sector, bytes)) {
      return IO_ERROR;
    }
    long[] at = {sector * SECTOR_BYTES};
    chain
        .writable()
        .<IOException>writeInPlace(
            0,
            bytes,
            piece -> {
              storage.read(at[0], piece);
              at[0] += piece.byteSize();
            });
    written = bytes;
    return OK;
  }

  private int write() throws IOException {
    long bytes = chain.readable().length() - HEADER_BYTES;
    if (storage.isReadOnly() || !fits(sector, bytes)) {
      return IO_ERROR;
    }
    long[] at = {sector * SECTOR_BYTES};
    chain
        .readable()
        .<IOException>readInPlace(
            HEADER_BYTES,
            bytes,
            piece -> {
              storage.write(at[0], piece);
              at[0] += piece.byteSize();
            });
    return OK;
  }

  private int identify() {
    if (chain.writable().length() - 1 < ID_BYTES) {
      return IO_ERROR;
    }
    byte[] id = new byte[ID_BYTES];
    byte[] text = serial.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, id, 0, text.length);
    chain.writable().write(0, id, 0, ID_BYTES);
    written = ID_BYTES;
    return OK;
  }

  private int zero() throws IOException {
    long bytes = chain.readable().length() - HEADER_BYTES;
    if (storage.isReadOnly()) {
      return IO_ERROR;
    }
    if (bytes % RANGE_BYTES != 0 || bytes > MOST_ZERO_RANGES * RANGE_BYTES) {
      return UNSUPPORTED;
    }
    byte[] ranges = new byte[(int) bytes];
    chain.readable().read(HEADER_BYTES, ranges, 0, ranges.length);
    ByteBuffer fields = ByteBuffer.wrap(ranges).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < ranges.length; at += RANGE_BYTES) {
      long first = fields.getLong(at);
      long sectors = fields.getInt(at + 8) & 0xFFFF_FFFFL;
      if (sectors > MOST_ZERO_SECTORS || !fits(first, sectors * SECTOR_BYTES)) {
        return IO_ERROR;
      }
      storage.zero(first * SECTOR_BYTES, sectors * SECTOR_BYTES);
    }
    return OK;
  }
}
