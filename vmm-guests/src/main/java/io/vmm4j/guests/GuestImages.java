package io.vmm4j.guests;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * The guest images as a JUnit test wants them: there, or the test is skipped with a printed reason.
 * Under continuous integration (the environment has {@code CI=true}) a missing image fails the test
 * instead, for there a skip would go unseen.
 *
 * {@snippet :
 * class BootTest {
 *   @Test
 *   void reachesTheShell() {
 *     GuestImages images = GuestImages.required();
 *     Path kernel = images.kernel();
 *     Path initrd = images.initrd();
 *   }
 * }
 * }
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class GuestImages {
  private final GuestCache cache;
  private final boolean missingIsFailure;
  private final Consumer<String> skips;

  GuestImages(GuestCache cache, boolean missingIsFailure, Consumer<String> skips) {
    this.cache = cache;
    this.skips = skips;
    this.missingIsFailure = missingIsFailure;
  }

  /**
   * Gives the images of the cache that {@link GuestCache#locate()} finds.
   *
   * @return the images, each of which is looked for when it is asked for
   */
  public static GuestImages required() {
    // Surefire counts a skip but does not show its reason; ./test lists these lines.
    return new GuestImages(
        GuestCache.locate(),
        Boolean.parseBoolean(System.getenv().getOrDefault("CI", "")),
        reason -> System.out.println("SKIPPED: " + reason));
  }

  /**
   * Gives the unmodified Debian cloud kernel, or ends the test.
   *
   * @return the bzImage
   */
  public Path kernel() {
    return require("the Debian cloud kernel", cache.kernel());
  }

  /**
   * Gives an unmodified Debian kernel, or ends the test.
   *
   * @param flavour as in Debian's package names: {@code cloud-amd64}, {@code amd64}, …
   * @return the bzImage
   */
  public Path kernel(String flavour) {
    return require("the Debian kernel of flavour " + flavour, cache.kernel(flavour));
  }

  /**
   * Gives the initramfs with busybox, or ends the test.
   *
   * @return the uncompressed cpio archive
   * @see GuestCache#initrd()
   */
  public Path initrd() {
    return require("the initramfs", cache.initrd());
  }

  /**
   * Gives the initramfs with drivers for virtio devices, or ends the test.
   *
   * @return the uncompressed cpio archive, for the cloud kernel
   * @see GuestCache#virtio()
   */
  public Path virtio() {
    return require("the initramfs with drivers for virtio", cache.virtio());
  }

  /**
   * Gives the initramfs of a kernel, or ends the test.
   *
   * @param flavour as for {@link #kernel(String)}
   * @return the uncompressed cpio archive
   */
  public Path initrd(String flavour) {
    return require("the initramfs of flavour " + flavour, cache.initrd(flavour));
  }

  /**
   * Gives Xen's hypervisor, or ends the test.
   *
   * @return the Multiboot kernel, packed with gzip
   */
  public Path xen() {
    return require("Xen's hypervisor", cache.xen());
  }

  /**
   * Gives iPXE as a Linux kernel of boot protocol 2.07, or ends the test.
   *
   * @return the image
   */
  public Path ipxe() {
    return require("iPXE", cache.ipxe());
  }

  /**
   * Gives the SeaBIOS image, or ends the test.
   *
   * @return the ROM image of 256 KiB
   */
  public Path seaBios() {
    return require("SeaBIOS", cache.seaBios());
  }

  private Path require(String what, Optional<Path> image) {
    if (image.isEmpty()) {
      String reason = "%s is not in %s: run guests/fetch".formatted(what, cache.directory());
      if (missingIsFailure) {
        Assertions.fail(reason);
      }
      skips.accept(reason);
      Assumptions.abort(reason);
    }
    return image.orElseThrow();
  }
}
