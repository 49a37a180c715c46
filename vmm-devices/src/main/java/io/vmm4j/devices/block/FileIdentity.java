package io.vmm4j.devices.block;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Which file it was, and what was in it: enough to notice that it is another one now, without
 * reading all of it. The digest is over all of a file of up to 16 MiB, and over 1024 pieces of 16
 * KiB of a larger one, which lie evenly from its beginning to its end.
 *
 * @param bytes its size
 * @param modifiedNanos when it was written last, since 1970
 * @param place its device and inode, and when the inode was changed last, which no user can set
 * @param digest SHA-256 of its contents, or of samples of them
 */
public record FileIdentity(long bytes, long modifiedNanos, String place, byte[] digest) {
  private static final int PIECES = 1024;
  private static final int PIECE_BYTES = 16 << 10;
  private static final long WHOLE_BYTES = (long) PIECES * PIECE_BYTES;

  /** What the file system says of a file: quickly had. */
  public record Quick(long bytes, long modifiedNanos, String place) {

    /** Looks at a file. */
    public static Quick of(Path path) throws IOException {
      BasicFileAttributes basic = Files.readAttributes(path, BasicFileAttributes.class);
      String place = String.valueOf(basic.fileKey());
      if (path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
        Map<String, Object> unix = Files.readAttributes(path, "unix:ctime");
        if (unix.get("ctime") instanceof FileTime changed) {
          place += "@" + changed.to(TimeUnit.NANOSECONDS);
        }
      }
      return new Quick(basic.size(), basic.lastModifiedTime().to(TimeUnit.NANOSECONDS), place);
    }

    /** Whether it is that very file, and nobody has written to it since. */
    public boolean isUntouched(FileIdentity other) {
      return equals(new Quick(other.bytes, other.modifiedNanos, other.place));
    }
  }

  /** Looks at a file, and reads as much of it as the digest takes. */
  public static FileIdentity of(Path path) throws IOException {
    try (RawFile file = RawFile.open(path, false)) {
      return of(path, file);
    }
  }

  /**
   * The same of a file that is open. One that is locked has to be looked at so: to close it again,
   * wherever in the process, would give up the lock (POSIX, fcntl).
   */
  public static FileIdentity of(Path path, RawFile open) throws IOException {
    Quick quick = Quick.of(path);
    return new FileIdentity(quick.bytes(), quick.modifiedNanos(), quick.place(), digest(open));
  }

  private static byte[] digest(RawFile file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      long size = file.sizeBytes();
      digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, size));
      byte[] piece = new byte[PIECE_BYTES];
      for (int i = 0; i < PIECES; i++) {
        long at = size <= WHOLE_BYTES ? (long) i * PIECE_BYTES : place(size, i);
        int count = (int) Math.min(PIECE_BYTES, size - at);
        if (count <= 0) {
          break;
        }
        file.read(at, MemorySegment.ofArray(piece).asSlice(0, count));
        digest.update(piece, 0, count);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Of the first to the last piece of a large file, in blocks of 4 KiB. */
  private static long place(long size, int piece) {
    long blocks = (size - PIECE_BYTES) / Overlay.BLOCK_BYTES;
    long quotient = blocks / (PIECES - 1);
    long rest = blocks % (PIECES - 1);
    return (quotient * piece + rest * piece / (PIECES - 1)) * Overlay.BLOCK_BYTES;
  }

  /**
   * Tells why a file can't be taken for this one. A file of which all is in the digest is the same
   * by its contents, whatever its time; a larger one must have the same time too.
   *
   * @return absent if it can
   */
  public Optional<String> difference(FileIdentity now) {
    if (bytes != now.bytes) {
      return Optional.of("it had %d bytes, and has %d".formatted(bytes, now.bytes));
    }
    if (!MessageDigest.isEqual(digest, now.digest)) {
      return Optional.of("its contents are others");
    }
    if (bytes > WHOLE_BYTES && modifiedNanos != now.modifiedNanos) {
      return Optional.of(
          "it was written to, or copied without its time: samples of its contents are the same,"
              + " the time of the last change is not");
    }
    return Optional.empty();
  }

  /** The same contents in a file that was looked at just now. */
  public FileIdentity at(Quick now) {
    return new FileIdentity(now.bytes(), now.modifiedNanos(), now.place(), digest);
  }
}
