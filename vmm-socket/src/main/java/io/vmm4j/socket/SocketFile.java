package io.vmm4j.socket;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/**
 * The file of a listening socket. It is bound in a directory that only its owner may enter, gets
 * its mode there, and is linked to its place only then: so at no moment can another user connect.
 * The link replaces nothing, so that of two servers that start at once for one path only one gets
 * it.
 *
 * @param path where it is
 * @param key which file it is there
 */
public record SocketFile(Path path, Object key) {
  /**
   * The longest path of a socket to which the JDK binds and connects: one byte less than Linux
   * takes, which has 108 with the final zero in sun_path, unix(7).
   */
  private static final int MAX_PATH_BYTES = 106;

  private static final int ATTEMPTS = 10;

  /** The type's bits in a file's mode, and their value for a socket: inode(7). */
  private static final int TYPE_BITS = 0170000;

  private static final int SOCKET_TYPE = 0140000;

  /** Makes a socket listen at a path. */
  public interface Binder {
    /** Binds a socket to the path and listens. */
    void bind(Path path) throws IOException;
  }

  /**
   * Makes the file. A socket that a dead process has left there is replaced; nothing else is.
   *
   * @throws SocketFileException.InUse if a server listens there
   * @throws SocketFileException.Unusable if there is another file, or no file can be made there
   */
  public static SocketFile create(Path given, Binder binder) throws SocketFileException {
    Path path = given.toAbsolutePath().normalize();
    Path parent = path.getParent();
    if (parent == null) {
      throw new SocketFileException.Unusable("it is a directory");
    }
    int bytes = bytes(path);
    if (bytes > MAX_PATH_BYTES) {
      // It could be made, and nobody could connect to it.
      throw new SocketFileException.Unusable(
          "its path is %d bytes long, and a socket's may be %d at most"
              .formatted(bytes, MAX_PATH_BYTES));
    }
    Path directory;
    try {
      directory = Files.createTempDirectory(parent, "."); // mode 0700
    } catch (NoSuchFileException e) {
      throw SocketFileException.Unusable.noDirectory(parent, e);
    } catch (IOException e) {
      throw new SocketFileException.Unusable("it can't be made: " + e, e);
    }
    try {
      Path bound = directory.resolve("s");
      Path stale = directory.resolve("stale");
      try {
        checkLength(bound);
        binder.bind(bound);
        Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
        link(bound, path, stale);
        return new SocketFile(path, key(path));
      } finally {
        Files.deleteIfExists(bound);
        Files.deleteIfExists(stale);
        Files.delete(directory);
      }
    } catch (SocketFileException e) {
      throw e;
    } catch (IOException e) {
      throw new SocketFileException.Unusable("it can't be made: " + e, e);
    } catch (UnsupportedOperationException e) {
      throw new SocketFileException.Unusable("its file system has no file modes or links", e);
    }
  }

  private static void checkLength(Path bound) throws SocketFileException {
    int excess = bytes(bound) - MAX_PATH_BYTES;
    if (excess > 0) {
      throw new SocketFileException.Unusable(
          "the directory's path is too long by %d bytes".formatted(excess));
    }
  }

  private static int bytes(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8).length;
  }

  private static void link(Path bound, Path path, Path stale) throws IOException {
    for (int i = 0; i < ATTEMPTS; i++) {
      try {
        Files.createLink(path, bound);
        return;
      } catch (FileAlreadyExistsException e) {
        remove(path, stale);
      }
    }
    throw new SocketFileException.InUse();
  }

  /** Removes a socket that nobody listens at. */
  private static void remove(Path path, Path stale) throws IOException {
    try {
      if (!isSocket(path, LinkOption.NOFOLLOW_LINKS)) {
        throw new SocketFileException.Unusable("there is another file, which is no socket");
      }
      if (isLive(path)) {
        throw new SocketFileException.InUse();
      }
      Files.move(path, stale);
    } catch (NoSuchFileException e) {
      return; // its server has removed it meanwhile
    }
    // Another file may have come between the look and the move.
    if (!isSocket(stale, LinkOption.NOFOLLOW_LINKS) || isLive(stale)) {
      Files.createLink(path, stale);
      throw new SocketFileException.InUse();
    }
    Files.delete(stale);
  }

  /** Whether a file is a socket: FIFOs and device nodes are as "other" to Java as sockets are. */
  public static boolean isSocket(Path path, LinkOption... links) throws IOException {
    Object mode = Files.getAttribute(path, "unix:mode", links);
    return mode instanceof Integer bits && (bits & TYPE_BITS) == SOCKET_TYPE;
  }

  private static boolean isLive(Path path) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.configureBlocking(false); // a server whose queue is full must not hold us up
      channel.connect(UnixDomainSocketAddress.of(path));
      return true;
    } catch (ConnectException e) {
      return false;
    }
  }

  private static Object key(Path path) throws IOException {
    return Objects.requireNonNull(
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey());
  }

  /** Removes the file, unless another is in its place by now. */
  public void delete() throws IOException {
    try {
      if (key(path).equals(key)) {
        Files.delete(path);
      }
    } catch (NoSuchFileException e) {
      return; // that is what is wanted
    }
  }
}
