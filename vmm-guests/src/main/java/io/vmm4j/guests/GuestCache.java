package io.vmm4j.guests;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * The directory that guests/fetch fills with kernels, firmware and the initramfs. It is only read
 * here; nothing is ever fetched from Java.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param directory the directory, which need not exist
 */
public record GuestCache(Path directory) {
  /** The system property that names the cache; it goes before {@link #VARIABLE}. */
  public static final String PROPERTY = "vmm4j.guest.cache";

  /** The environment variable that names the cache, for guests/fetch too. */
  public static final String VARIABLE = "VMM_GUEST_CACHE";

  /**
   * Creates a view of a cache.
   *
   * @param directory the directory, which need not exist
   */
  public GuestCache {
    Objects.requireNonNull(directory, "directory");
  }

  /**
   * Finds the cache: where {@link #PROPERTY} says, else where {@link #VARIABLE} says, else {@code
   * .cache/guests} in the checkout that the working directory is in, else in the working directory.
   *
   * @return the cache, which may be empty
   */
  public static GuestCache locate() {
    String named = System.getProperty(PROPERTY, System.getenv().getOrDefault(VARIABLE, ""));
    if (!named.isEmpty()) {
      return new GuestCache(Path.of(named));
    }
    Path workingDirectory = Path.of("").toAbsolutePath();
    for (Path at = workingDirectory; at != null; at = at.getParent()) {
      if (Files.exists(at.resolve("guests/fetch"))) {
        return new GuestCache(at.resolve(".cache/guests"));
      }
    }
    return new GuestCache(workingDirectory.resolve(".cache/guests"));
  }

  /**
   * Gives the unmodified Debian cloud kernel.
   *
   * @return the bzImage, or empty when it has not been fetched
   */
  public Optional<Path> kernel() {
    return kernel("cloud-amd64");
  }

  /**
   * Gives an unmodified Debian kernel.
   *
   * @param flavour as in Debian's package names: {@code cloud-amd64}, {@code amd64}, …
   * @return the bzImage, or empty when it has not been fetched
   */
  public Optional<Path> kernel(String flavour) {
    return present("kernel-" + flavour + "/vmlinuz");
  }

  /**
   * Gives the initramfs: busybox, {@code /bin/work} (see {@link GuestWork}) and an {@code /init}
   * that prints {@code vmm4j guest ready} and starts a shell on the console.
   *
   * @return the uncompressed cpio archive, or empty when it has not been packed
   */
  public Optional<Path> initrd() {
    return present("initrd.cpio");
  }

  /**
   * Gives the initramfs of a kernel.
   *
   * @param flavour as for {@link #kernel(String)}; {@code 686-pae} has one of 32 bits
   * @return the uncompressed cpio archive, or empty when it has not been packed
   */
  public Optional<Path> initrd(String flavour) {
    return flavour.equals("686-pae") ? present("initrd-i386.cpio") : initrd();
  }

  /**
   * Gives the initramfs with the cloud kernel's drivers for virtio devices besides.
   *
   * @return the uncompressed cpio archive, or empty when it has not been packed
   */
  public Optional<Path> virtio() {
    return present("initrd-virtio.cpio");
  }

  /**
   * Gives a disk with Debian 12: ext4 without partitions, systemd, root without a password.
   *
   * @return the raw image, or empty when it has not been made
   */
  public Optional<Path> debian() {
    return present("debian/disk.raw");
  }

  /**
   * Gives the initramfs with Lua, OpenSSL and the GNU assembler besides.
   *
   * @return the uncompressed cpio archive, or empty when it has not been packed
   */
  public Optional<Path> programs() {
    return present("initrd-programs.cpio");
  }

  /**
   * Gives Xen's hypervisor.
   *
   * @return the Multiboot kernel, packed with gzip, or empty when it has not been fetched
   */
  public Optional<Path> xen() {
    return present("xen/xen.gz");
  }

  /**
   * Gives iPXE as a Linux kernel of boot protocol 2.07.
   *
   * @return the image, or empty when it has not been fetched
   */
  public Optional<Path> ipxe() {
    return present("ipxe/ipxe.lkrn");
  }

  /**
   * Gives the SeaBIOS image for a machine with a full PC chipset.
   *
   * @return the ROM image of 256 KiB, or empty when it has not been fetched
   */
  public Optional<Path> seaBios() {
    return present("seabios/bios-256k.bin");
  }

  private Optional<Path> present(String name) {
    return Optional.of(directory.resolve(name)).filter(Files::isReadable);
  }
}
