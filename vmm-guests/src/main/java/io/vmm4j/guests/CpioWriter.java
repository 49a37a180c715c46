package io.vmm4j.guests;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Writes the archive that Linux unpacks as its initramfs: the "newc" form of cpio.
 *
 * <p>The same entries give the same bytes: inode numbers count up, times and owners are zero. The
 * form is described in the kernel's own Documentation/driver-api/early-userspace/buffer-format.rst:
 * a header of ASCII hexadecimal fields, the name, the data, each padded to four bytes.
 *
 * <p>Not safe for use by several threads.
 */
public final class CpioWriter implements AutoCloseable {
  private static final int DIRECTORY = 0_040000;
  private static final int REGULAR_FILE = 0_100000;
  private static final int SYMBOLIC_LINK = 0_120000;
  private static final int CHARACTER_DEVICE = 0_020000;
  private static final int PERMISSIONS = 0_7777;
  private static final String TRAILER = "TRAILER!!!";

  private final OutputStream out;
  private long offsetBytes;
  private int lastInode;

  /**
   * Creates a writer over a stream, which {@link #close()} closes.
   *
   * @param out where the archive goes
   */
  public CpioWriter(OutputStream out) {
    this.out = Objects.requireNonNull(out, "out");
  }

  /**
   * Adds a directory.
   *
   * @param path its path, without a leading slash; its parent must have been added before
   * @param permissions the permission bits, such as {@code 0755}
   * @throws IOException if the stream can't be written
   */
  public void directory(String path, int permissions) throws IOException {
    entry(path, DIRECTORY | checked(permissions), new byte[0], 0, 0);
  }

  /**
   * Adds a regular file.
   *
   * @param path its path, without a leading slash; its parent must have been added before
   * @param permissions the permission bits, such as {@code 0644}
   * @param content its bytes
   * @throws IOException if the stream can't be written
   */
  public void file(String path, int permissions, byte[] content) throws IOException {
    entry(path, REGULAR_FILE | checked(permissions), content, 0, 0);
  }

  /**
   * Adds a symbolic link.
   *
   * @param path its path, without a leading slash; its parent must have been added before
   * @param target what the link points to
   * @throws IOException if the stream can't be written
   */
  public void symbolicLink(String path, String target) throws IOException {
    entry(path, SYMBOLIC_LINK | 0777, target.getBytes(StandardCharsets.UTF_8), 0, 0);
  }

  /**
   * Adds a character device node.
   *
   * @param path its path, without a leading slash; its parent must have been added before
   * @param permissions the permission bits, such as {@code 0600}
   * @param major the device's major number
   * @param minor the device's minor number
   * @throws IOException if the stream can't be written
   */
  public void characterDevice(String path, int permissions, int major, int minor)
      throws IOException {
    entry(path, CHARACTER_DEVICE | checked(permissions), new byte[0], major, minor);
  }

  /**
   * Ends the archive and closes the stream.
   *
   * @throws IOException if the stream can't be written or closed
   */
  @Override
  public void close() throws IOException {
    try (out) {
      header(TRAILER, 0, 0, 0, 0, 0);
    }
  }

  private static int checked(int permissions) {
    if ((permissions & ~PERMISSIONS) != 0) {
      throw new IllegalArgumentException(
          "permissions have bits outside 07777: 0" + Integer.toOctalString(permissions));
    }
    return permissions;
  }

  private void entry(String path, int mode, byte[] content, int major, int minor)
      throws IOException {
    if (path.isEmpty() || path.startsWith("/") || path.equals(TRAILER)) {
      throw new IllegalArgumentException("not a path for an archive entry: '" + path + "'");
    }
    lastInode++;
    header(path, lastInode, mode, content.length, major, minor);
    write(content);
    pad();
  }

  private void header(String path, int inode, int mode, int size, int major, int minor)
      throws IOException {
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    int links = 1;
    int zero = 0; // owner, group, time, the archive's own device, and the checksum newc leaves out
    String fields =
        ("070701" + "%08X".repeat(13))
            .formatted(
                inode,
                mode,
                zero,
                zero,
                links,
                zero,
                size,
                zero,
                zero,
                major,
                minor,
                name.length + 1,
                zero);
    write(fields.getBytes(StandardCharsets.US_ASCII));
    write(name);
    write(new byte[1]);
    pad();
  }

  private void pad() throws IOException {
    write(new byte[(int) (-offsetBytes & 3)]);
  }

  private void write(byte[] bytes) throws IOException {
    out.write(bytes);
    offsetBytes += bytes.length;
  }
}
