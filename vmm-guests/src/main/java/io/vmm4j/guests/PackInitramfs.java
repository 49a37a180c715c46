package io.vmm4j.guests;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Packs an initramfs: busybox, a link for each of its applets, and a directory such as
 * guests/initramfs. Run by guests/fetch, before anything else of the project is built.
 */
public final class PackInitramfs {
  private static final List<String> DIRECTORIES =
      List.of("bin", "dev", "mnt", "proc", "root", "sys", "tmp");

  private PackInitramfs() {}

  /**
   * Packs an initramfs.
   *
   * @param args the file to write, the busybox binary, a file naming one applet a line, and the
   *     directory whose files are added as executable files of the same path, with their
   *     directories
   * @throws IOException if a file can't be read or written
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 4) {
      throw new IllegalArgumentException("expected: OUTPUT BUSYBOX APPLETS DIRECTORY");
    }
    Path output = Path.of(args[0]);
    byte[] busybox = Files.readAllBytes(Path.of(args[1]));
    List<String> applets = Files.readAllLines(Path.of(args[2]));
    Path scripts = Path.of(args[3]);
    try (CpioWriter archive =
        new CpioWriter(new BufferedOutputStream(Files.newOutputStream(output)))) {
      for (String directory : DIRECTORIES) {
        archive.directory(directory, 0755);
      }
      // The kernel opens it for the first process before any file system is mounted.
      archive.characterDevice("dev/console", 0600, 5, 1);
      archive.file("bin/busybox", 0755, busybox);
      for (String applet : applets) {
        if (!applet.equals("busybox")) {
          archive.symbolicLink("bin/" + applet, "busybox");
        }
      }
      for (Path entry : below(scripts)) {
        String path = scripts.relativize(entry).toString().replace('\\', '/');
        if (Files.isRegularFile(entry)) {
          archive.file(path, 0755, Files.readAllBytes(entry));
        } else if (Files.isDirectory(entry) && !DIRECTORIES.contains(path)) {
          archive.directory(path, 0755);
        }
      }
    }
  }

  /** What a directory holds; what is in a directory comes after it, as the kernel wants it. */
  private static List<Path> below(Path directory) throws IOException {
    try (Stream<Path> entries = Files.walk(directory)) {
      return entries.filter(entry -> !entry.equals(directory)).sorted().toList();
    }
  }
}
