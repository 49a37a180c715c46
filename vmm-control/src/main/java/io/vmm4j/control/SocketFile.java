package io.vmm4j.control;

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
record SocketFile(Path path, Object key) {
  /** The longest path of a socket on Linux: sun_path less its final zero, unix(7). */
  private static final int MAX_PATH_BYTES = 107;

  private static final int ATTEMPTS = 10;

  /** Makes a socket listen at a path. */
  interface Binder {
    void bind(Path path) throws IOException;
  }

  /**
   * Makes the file. A socket that a dead process has left there is replaced.
   *
   * @throws ControlException.InUse if a server listens there
   * @throws ControlException.Socket if there is another file, or the directory can't be written
   */
  static SocketFile create(Path given, Binder binder) {
    Path path = given.toAbsolutePath().normalize();
    Path parent = Objects.requireNonNull(path.getParent(), "a file has a directory");
    try {
      Path directory = Files.createTempDirectory(parent, "."); // mode 0700
      Path bound = directory.resolve("s");
      Path stale = directory.resolve("stale");
      try {
        checkLength(path, bound);
        binder.bind(bound);
        Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
        link(bound, path, stale);
        return new SocketFile(path, key(path));
      } finally {
        Files.deleteIfExists(bound);
        Files.deleteIfExists(stale);
        Files.delete(directory);
      }
    } catch (NoSuchFileException e) {
      throw new ControlException.Socket(path, "there is no such directory", e);
    } catch (IOException e) {
      throw new ControlException.Socket(path, "it can't be made: " + e, e);
    } catch (UnsupportedOperationException e) {
      throw new ControlException.Socket(path, "its file system has no file modes or links", e);
    }
  }

  private static void checkLength(Path path, Path bound) {
    int excess = bound.toString().getBytes(StandardCharsets.UTF_8).length - MAX_PATH_BYTES;
    if (excess > 0) {
      throw new ControlException.Socket(
          path, "the directory's path is too long by %d bytes".formatted(excess));
    }
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
    throw new ControlException.InUse(path);
  }

  /** Removes a socket that nobody listens at. */
  private static void remove(Path path, Path stale) throws IOException {
    try {
      if (!isSocket(path)) {
        throw new ControlException.Socket(path, "there is another file, which is no socket");
      }
      if (isLive(path)) {
        throw new ControlException.InUse(path);
      }
      Files.move(path, stale);
    } catch (NoSuchFileException e) {
      return; // its server has removed it meanwhile
    }
    // Another server may have come between the look and the move.
    if (isLive(stale)) {
      Files.createLink(path, stale);
      throw new ControlException.InUse(path);
    }
    Files.delete(stale);
  }

  private static boolean isSocket(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .isOther();
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
  void delete() throws IOException {
    try {
      if (key(path).equals(key)) {
        Files.delete(path);
      }
    } catch (NoSuchFileException e) {
      return; // that is what is wanted
    }
  }
}
