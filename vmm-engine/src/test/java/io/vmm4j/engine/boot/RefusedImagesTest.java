package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.BootException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.engine.memory.RamLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images that no loader takes: each is refused by a message that says why and what would do. */
final class RefusedImagesTest {
  private static final int RAM_BYTES = 4 << 20;
  private static final long RSDP = 0xE_0000;

  private final BootTarget target = withMemory(MemorySize.bytes(RAM_BYTES));

  @TempDir private Path directory;

  @Test
  void unknownImagesAreNamedWithWhatWasExpectedAndFound() {
    assertThatThrownBy(
            () -> detect(ByteBuffer.wrap("#!/bin/sh\n".getBytes(StandardCharsets.UTF_8))))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("expected a Linux bzImage")
        .hasMessageContaining("a text of 10 bytes that begins with 23 21 2f 62");
    assertThatThrownBy(() -> detect(ByteBuffer.wrap(Packing.packed("gzip", new byte[10]))))
        .hasMessageContaining("(unpacked): expected a Linux bzImage");
    assertThatThrownBy(() -> detect(ByteBuffer.wrap(Packing.packed("xz", new byte[10]))))
        .hasMessageContaining("an xz archive")
        .hasMessageContaining("fd 37");
    assertThatThrownBy(() -> detect(ByteBuffer.wrap(new byte[] {0x1F, (byte) 0x8B, 8, 0})))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("can't be unpacked (gzip)");
    ByteBuffer arm = Images.elf64().putShort(18, (short) 183);
    assertThatThrownBy(() -> detect(arm)).hasMessageContaining("AArch64");
    assertThatThrownBy(() -> detect(ByteBuffer.allocate(0))).hasMessageContaining("an empty file");
    assertThatThrownBy(() -> detect(Images.elf32())).hasMessageContaining("with neither");
  }

  @Test
  void absentFilesAndDirectoriesAreNamed() {
    assertThatThrownBy(
            () -> BootLoader.of(LinuxBoot.kernel(directory.resolve("absent"))).load(target))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("absent: there is no such file");
    assertThatThrownBy(() -> BootLoader.of(LinuxBoot.kernel(directory)).load(target))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("not a regular file");
  }

  @Test
  void tooLittleMemoryIsToldWithWhatWouldDo() {
    ByteBuffer elf = Images.withMultibootHeader(Images.elf32(), 0);
    elf.putInt(52 + 20, 16 << 20);

    assertThatThrownBy(() -> detect(elf))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("17 MiB of memory would do, the machine has 4 MiB");
  }

  /** What {@code ld -Ttext 0x100000} makes without {@code -n}. */
  @Test
  void aKernelThatIsLinkedForAProcessIsRefusedWithTheRemedy() throws IOException {
    // with its header behind a page of the ELF file's own headers
    ByteBuffer far = Images.buffer(0x3000).put(0, Images.elf32().array());
    far.putInt(0x2000, 0x1BADB002).putInt(0x2008, -0x1BADB002);
    Path file = file(far);
    for (BootSource source :
        List.of(new BootSource.Detect(file, List.of(), ""), BootSource.Multiboot.kernel(file))) {
      assertThatThrownBy(() -> BootLoader.of(source).load(target))
          .isInstanceOf(BootException.class)
          .hasMessageContainingAll("a Multiboot header at 0x2000 of the file", "link with -Wl,-n");
    }

    // with its header in reach, and the page of headers below 1 MiB
    ByteBuffer low = Images.withMultibootHeader(Images.elf32(), 0);
    low.putInt(52 + 12, 0xFF000);
    assertThatThrownBy(() -> detect(low))
        .isInstanceOf(BootException.class)
        .hasMessageContainingAll("0xff000, where the boot information lies", "-Wl,-n (ld -n)");
  }

  private static BootTarget withMemory(MemorySize size) {
    return new BootTarget(new ArrayMemory(RAM_BYTES), new BiosMemoryMap(size.bytes()), RSDP);
  }

  @Test
  void memoryIsToldOnlyWhereMoreWouldDo() {
    BootTarget small = withMemory(MemorySize.mebibytes(64));
    BootTarget large = withMemory(MemorySize.gibibytes(8));
    long end = 0x100_0001;
    long gibibyte = 1L << 30;

    // it fits with what is said to do, and not with less
    assertThatThrownBy(() -> small.placeHigh("i", "the disk", gibibyte, end, RamLayout.LOW_END, 0))
        .hasMessageEndingWith("; 1041 MiB of memory would do, the machine has 64 MiB");
    BootTarget enough = withMemory(MemorySize.mebibytes(1041));
    assertThat(enough.placeHigh("i", "the disk", gibibyte, end, RamLayout.LOW_END, 0))
        .isBetween(end, 1041L << 20);
    BootTarget less = withMemory(MemorySize.mebibytes(1040));
    assertThatThrownBy(() -> less.placeHigh("i", "the disk", gibibyte, end, RamLayout.LOW_END, 0))
        .isInstanceOf(BootException.class);
    // with another module at the end
    assertThatThrownBy(
            () -> small.placeHigh("i", "the module", gibibyte, end, RamLayout.LOW_END, 2 << 20))
        .hasMessageEndingWith("; 1043 MiB of memory would do, the machine has 64 MiB");

    // but there is no more below 3 GiB, or where the kernel takes it
    for (BootTarget machine : List.of(small, large)) {
      assertThatThrownBy(
              () -> machine.placeHigh("i", "the disk", 3 * gibibyte, end, 0xFFFF_FFFFL, 0))
          .isInstanceOf(BootException.class)
          .hasMessageEndingWith(
              "; no amount of memory would do, for it has to lie in the RAM below 3 GiB");
      assertThatThrownBy(() -> machine.placeHigh("i", "the disk", gibibyte, end, 0x3800_0000, 0))
          .hasMessageEndingWith(
              "; no amount of memory would do, for the kernel takes it only below 0x38000000");
    }
  }

  @Test
  void commandLineThatTheKernelCannotTakeIsRefused() throws IOException {
    Path kernel = file(Images.bzImage(Packing.packed("gzip", Images.elf64().array())));

    assertThatThrownBy(
            () -> BootLoader.of(LinuxBoot.kernel(kernel).commandLine("x".repeat(65))).load(target))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("65 bytes; this kernel takes at most 64");
  }

  @ParameterizedTest
  @CsvSource({
    "0x5c, the ELF header", // the file ends within the header
  })
  void hostileLengthsAreNamed(int cut, String field) {
    ByteBuffer elf = Images.withPvhNote(Images.elf64());
    elf.putInt(64 + 56 + 8, 0x7FFF_FFFF); // the notes' offset
    assertThatThrownBy(() -> detect(elf))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("PT_NOTE");
    assertThatThrownBy(() -> detect(ByteBuffer.wrap(Arrays.copyOf(elf.array(), cut - 0x30))))
        .isInstanceOf(BootException.class)
        .hasMessageContaining(field);
  }

  @Test
  void anImageMayNotOverwriteTheBootInformation() {
    ByteBuffer elf = Images.withMultibootHeader(Images.elf32(), 0);
    elf.putInt(52 + 12, 0x9_0000);

    assertThatThrownBy(() -> detect(elf))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("where the boot information lies");
  }

  @Test
  void damagedImagesGiveBootExceptionsAndNothingElse() throws IOException {
    byte[][] images = {
      Images.bzImage(Packing.packed("lz4", Images.elf64().array())).array(),
      Images.bzImage(Packing.packed("gzip", Images.elf64().array())).array(),
      Images.bzImage(Packing.packed("xz", Images.elf64().array())).array(),
      Images.withPvhNote(Images.elf64()).array(),
      Images.withMultibootHeader(Images.elf32(), 0).array(),
      Images.flatMultiboot().array()
    };
    Random random = new Random(4711);
    int refused = 0;
    for (byte[] image : images) {
      for (int i = 0; i < image.length; i++) {
        byte[] damaged = image.clone();
        damaged[i] = (byte) random.nextInt();
        refused += loadsOrRefuses(damaged);
        damaged[i] = -1;
        refused += loadsOrRefuses(damaged);
        if (i % 7 == 0) {
          refused += loadsOrRefuses(Arrays.copyOf(image, i));
        }
      }
    }
    assertThat(refused).as("damage that was noticed").isGreaterThan(500);
  }

  /** 1 if it was refused in the right way, 0 if the damage was harmless; fails for all else. */
  private int loadsOrRefuses(byte[] image) throws IOException {
    try {
      detect(ByteBuffer.wrap(image));
      return 0;
    } catch (BootException e) {
      assertThat(e).hasMessageContaining("image");
      return 1;
    }
  }

  private CpuState detect(ByteBuffer image) throws IOException {
    return BootLoader.of(new BootSource.Detect(file(image), List.of(), "")).load(target);
  }

  private Path file(ByteBuffer image) throws IOException {
    return Files.write(directory.resolve("image"), image.array());
  }
}
