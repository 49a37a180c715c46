package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.BootException;
import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each format, from a file to guest memory and the first register state. */
final class BootLoaderTest {
  private static final int RAM_BYTES = 4 << 20;
  private static final long RSDP = 0xE_0000;
  private static final int RBX = 3;
  private static final int RSI = 6;

  private final ArrayMemory memory = new ArrayMemory(RAM_BYTES);
  private final BootTarget target = new BootTarget(memory, new BiosMemoryMap(RAM_BYTES), RSDP);

  @TempDir private Path directory;

  @Test
  void resetVectorIsThePowerOnState() {
    CpuState state = ResetState.bootstrapProcessor();

    assertThat(state.cs().base() + state.rip()).isEqualTo(0xFFFF_FFF0L);
    assertThat(state.cs().selector()).isEqualTo(0xF000);
    assertThat(state.cr0() & 1).as("CR0.PE").isZero();
    assertThat(state.rflags()).isEqualTo(2);
    assertThat(state.dr()).containsExactly(0, 0, 0, 0, 0xFFFF_0FF0L, 0x400);
    assertThat(state.msr(0x1B)).as("IA32_APIC_BASE").isEqualTo(0xFEE0_0900L);
    assertThat(state.msr(0x277)).as("IA32_PAT").isEqualTo(0x0007_0406_0007_0406L);
    assertThat(state.activity()).isEqualTo(ActivityState.RUNNING);
    assertThat(state.msrs())
        .extracting(msr -> Integer.toUnsignedLong(msr.index()))
        .as("ascending, EFER among them")
        .isSorted()
        .contains(0xC000_0080L);
  }

  @Test
  void applicationProcessorsWaitAndAreNotTheBootstrapProcessor() {
    CpuState state = ResetState.applicationProcessor(3);

    assertThat(state.activity()).isEqualTo(ActivityState.WAIT_FOR_STARTUP);
    assertThat(state.msr(0x1B)).isEqualTo(0xFEE0_0800L);
    assertThat(state.apic().id()).isEqualTo(3);
    assertThat(state.apic().registers()[2]).isEqualTo(3 << 24);
  }

  @Test
  void flatImageIsEnteredInRealModeAtItsFirstByte() throws IOException {
    Path image = file(ByteBuffer.wrap(Images.EXIT_42));

    CpuState state = BootLoader.of(new BootSource.FlatRealMode(image, 0x7C00)).load(target);

    assertThat(memory.read(0x7C00, 5)).isEqualTo(Images.EXIT_42);
    assertThat(state.cs().selector()).isEqualTo(0x7C0);
    assertThat(state.cs().base() + state.rip()).isEqualTo(0x7C00);
    assertThat(state.ss()).isEqualTo(state.ds());
    assertThat(state.cr0() & 1).isZero();
    assertThat(state.idtr().limit()).isEqualTo(0x3FF);
  }

  @ParameterizedTest
  @ValueSource(ints = {-16, 0x7C01, 0x10_0000})
  void flatImageWithAnAddressThatRealModeCannotHaveIsRefused(int address) throws IOException {
    Path image = file(ByteBuffer.wrap(Images.EXIT_42));

    assertThatThrownBy(
            () -> BootLoader.of(new BootSource.FlatRealMode(image, address)).load(target))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("multiple of 16");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void pvhKernelGetsItsStartInfoInEbx(boolean wide) throws IOException {
    Path kernel = file(Images.withPvhNote(wide ? Images.elf64() : Images.elf32()));
    Path initrd = Files.write(directory.resolve("initrd"), new byte[] {1, 2, 3});

    CpuState state =
        BootLoader.of(BootSource.Pvh.kernel(kernel).module(initrd).commandLine("a=1")).load(target);

    assertFlatProtectedMode(state);
    assertThat(state.rip()).isEqualTo(Images.LOAD_ADDRESS + Images.CODE_OFFSET);
    assertThat(memory.read(state.rip(), 5)).isEqualTo(Images.EXIT_42);
    long info = state.gpr()[RBX];
    assertThat(memory.readInt(info)).isEqualTo(0x336EC578);
    assertThat(memory.readInt(info + 4)).as("version").isEqualTo(1);
    assertThat(memory.readInt(info + 12)).as("nr_modules").isEqualTo(1);
    long module = memory.readLong(info + 16);
    assertThat(memory.read(memory.readLong(module), 3)).containsExactly(1, 2, 3);
    assertThat(memory.readLong(module + 8)).as("module size").isEqualTo(3);
    assertThat(text(memory.readLong(info + 24), 4)).isEqualTo("a=1\0");
    assertThat(memory.readLong(info + 32)).isEqualTo(RSDP);
    long map = memory.readLong(info + 40);
    assertThat(memory.readInt(info + 48)).isEqualTo(4);
    assertThat(memory.readLong(map + 3 * 24)).isEqualTo(0x10_0000);
    assertThat(memory.readLong(map + 3 * 24 + 8)).isEqualTo(RAM_BYTES - 0x10_0000);
    assertThat(memory.readInt(map + 3 * 24 + 16)).as("usable").isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"elf32", "elf64", "flat"})
  void multibootKernelGetsItsInformationInEbx(String form) throws IOException {
    Path kernel =
        file(
            switch (form) {
              case "elf32" -> Images.withMultibootHeader(Images.elf32(), 3);
              case "elf64" -> Images.withMultibootHeader(Images.elf64(), 3);
              default -> Images.flatMultiboot();
            });

    CpuState state =
        BootLoader.of(BootSource.Multiboot.kernel(kernel).commandLine("one two")).load(target);

    assertFlatProtectedMode(state);
    assertThat(state.rip()).isEqualTo(BootArea.ENTRY_CODE);
    assertThat(multibootMagic()).as("EAX").isEqualTo(0x2BADB002);
    assertThat(multibootEntry()).isEqualTo(Images.LOAD_ADDRESS + Images.CODE_OFFSET);
    assertThat(memory.read(multibootEntry(), 5)).isEqualTo(Images.EXIT_42);
    long info = state.gpr()[RBX];
    assertThat(memory.readInt(info)).as("flags").isEqualTo(0b10_0100_0101);
    assertThat(memory.readInt(info + 4)).as("mem_lower in KiB").isEqualTo(639);
    assertThat(memory.readInt(info + 8)).as("mem_upper in KiB").isEqualTo(3 * 1024);
    String expected = kernel + " one two\0";
    assertThat(text(memory.readInt(info + 16), expected.length())).isEqualTo(expected);
    assertThat(memory.readInt(info + 44)).as("mmap_length").isEqualTo(4 * 24);
    assertThat(memory.readInt(memory.readInt(info + 48))).as("entry size").isEqualTo(20);
    assertThat(text(memory.readInt(info + 64), 6)).isEqualTo("vmm4j\0");
  }

  @Test
  void multibootElfLinkedAndLoadedApartIsEnteredWhereItLies() throws IOException {
    ByteBuffer elf = Images.withMultibootHeader(Images.elf32(), 0);
    elf.putInt(52 + 8, 0xC000_0000);
    elf.putInt(24, 0xC000_0000 + Images.CODE_OFFSET);

    BootLoader.of(BootSource.Multiboot.kernel(file(elf))).load(target);

    assertThat(multibootEntry()).isEqualTo(Images.LOAD_ADDRESS + Images.CODE_OFFSET);
  }

  @Test
  void memoryBeyondASegmentsFileBytesIsCleared() throws IOException {
    memory.writeLong(Images.LOAD_ADDRESS + 0xFF8, -1);

    BootLoader.of(BootSource.Multiboot.kernel(file(Images.withMultibootHeader(Images.elf32(), 0))))
        .load(target);

    assertThat(memory.readLong(Images.LOAD_ADDRESS + 0xFF8)).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "xz", "lzma", "lz4"})
  void linuxPayloadIsUnpackedAndEnteredInLongMode(String compression) throws IOException {
    byte[] vmlinux = Images.elf64().array();
    Path kernel = file(Images.bzImage(Packing.packed(compression, vmlinux)));
    Path initrd = Files.write(directory.resolve("initrd"), new byte[5000]);

    CpuState state =
        BootLoader.of(LinuxBoot.kernel(kernel).initrd(initrd).commandLine("quiet")).load(target);

    assertThat(state.rip()).as("e_entry").isEqualTo(Images.LOAD_ADDRESS + Images.CODE_OFFSET);
    assertThat(memory.read(Images.LOAD_ADDRESS, vmlinux.length)).isEqualTo(vmlinux);
    assertLongMode(state);
    long params = state.gpr()[RSI];
    assertThat(memory.readInt(params + 0x202)).as("HdrS").isEqualTo(0x53726448);
    assertThat(memory.readByte(params + 0x210)).as("type_of_loader").isEqualTo(0xFF);
    assertThat(memory.readByte(params + 0x211)).as("loadflags without KASLR").isEqualTo(1);
    assertThat(memory.readLong(params + 0x70)).as("acpi_rsdp_addr").isEqualTo(RSDP);
    assertThat(memory.readByte(params + 0x1EF)).as("sentinel").isZero();
    assertThat(text(memory.readInt(params + 0x228), 6)).isEqualTo("quiet\0");
    assertThat(memory.readInt(params + 0x21C)).as("ramdisk_size").isEqualTo(5000);
    assertThat(memory.readInt(params + 0x218)).as("ramdisk_image").isEqualTo(RAM_BYTES - 0x2000);
    assertThat(memory.readByte(params + 0x1E8)).as("e820_entries").isEqualTo(4);
    assertThat(memory.readLong(params + 0x2D0 + 3 * 20)).isEqualTo(0x10_0000);
  }

  @ParameterizedTest
  @CsvSource({"zstd, true", "gzip, false"})
  void linuxKernelThatIsNotUnpackedIsEnteredAtItsStub(String compression, boolean unpack)
      throws IOException {
    byte[] payload =
        compression.equals("zstd")
            ? new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 1, 2, 3, 4, 5, 6, 7, 8}
            : Packing.packed("gzip", Images.elf64().array());
    Path kernel = file(Images.bzImage(payload));

    CpuState state = BootLoader.of(LinuxBoot.kernel(kernel).unpackOnHost(unpack)).load(target);

    assertLongMode(state);
    assertThat(state.rip()).isEqualTo(Images.LOAD_ADDRESS + 0x200);
    assertThat(memory.read(state.rip(), 5)).isEqualTo(Images.EXIT_42);
  }

  @Test
  void detectionFindsEachFormat() throws IOException {
    assertThat(detect(Images.bzImage(Packing.packed("gzip", Images.elf64().array()))).gpr()[RSI])
        .as("boot_params")
        .isEqualTo(BootArea.BOOT_PARAMS);
    assertThat(memory.readInt(detect(Images.withPvhNote(Images.elf32())).gpr()[RBX]))
        .as("PVH start info")
        .isEqualTo(0x336EC578);
    detect(Images.withMultibootHeader(Images.elf32(), 0));
    assertThat(multibootMagic()).as("Multiboot magic").isEqualTo(0x2BADB002);
  }

  @Test
  void aKernelWithBothHeadersIsAMultibootKernel() throws IOException {
    detect(Images.withMultibootHeader(Images.withPvhNote(Images.elf32()), 0));

    assertThat(multibootMagic()).isEqualTo(0x2BADB002);
  }

  @Test
  void kernelsArePackedWithGzipToo() throws IOException {
    Path kernel =
        file(
            ByteBuffer.wrap(
                Packing.packed("gzip", Images.withMultibootHeader(Images.elf32(), 0).array())));

    BootLoader.of(BootSource.Multiboot.kernel(kernel)).load(target);

    assertThat(memory.read(multibootEntry(), 5)).isEqualTo(Images.EXIT_42);
  }

  @Test
  void multibootModulesHaveTheirOwnStrings() throws IOException {
    Path kernel = file(Images.withMultibootHeader(Images.elf32(), 0));
    Path first = Files.write(directory.resolve("first"), new byte[] {1, 2, 3});
    Path second = Files.write(directory.resolve("second"), new byte[5000]);

    CpuState state =
        BootLoader.of(
                BootSource.Multiboot.kernel(kernel)
                    .commandLine("own")
                    .module(first, "one two")
                    .module(second))
            .load(target);

    long info = state.gpr()[RBX];
    assertThat(memory.readInt(info) & 1 << 3).as("flag of modules").isNotZero();
    assertThat(memory.readInt(info + 20)).as("mods_count").isEqualTo(2);
    long list = memory.readInt(info + 24);
    long start = memory.readInt(list);
    assertThat(start % 4096).isZero();
    assertThat(memory.readInt(list + 4) - start).isEqualTo(3);
    assertThat(memory.read(start, 3)).containsExactly(1, 2, 3);
    assertThat(string(memory.readInt(list + 8))).isEqualTo(first + " one two");
    assertThat(memory.readInt(list + 16 + 4) - memory.readInt(list + 16)).isEqualTo(5000);
    assertThat(memory.readInt(list + 16 + 4))
        .as("they don't overlap")
        .isLessThanOrEqualTo((int) start);
    assertThat(string(memory.readInt(list + 16 + 8))).isEqualTo(second.toString());
    assertThat(string(memory.readInt(info + 16))).isEqualTo(kernel + " own");
  }

  @Test
  void pvhModulesHaveTheirOwnCommandLines() throws IOException {
    Path kernel = file(Images.withPvhNote(Images.elf64()));
    Path first = Files.write(directory.resolve("first"), new byte[] {1, 2, 3});
    Path second = Files.write(directory.resolve("second"), new byte[] {4});

    CpuState state =
        BootLoader.of(BootSource.Pvh.kernel(kernel).module(first).module(second, "a b"))
            .load(target);

    long info = state.gpr()[RBX];
    assertThat(memory.readInt(info + 12)).as("nr_modules").isEqualTo(2);
    long list = memory.readLong(info + 16);
    assertThat(memory.readLong(list + 16)).as("no command line").isZero();
    assertThat(memory.read(memory.readLong(list + 32), 1)).containsExactly(4);
    assertThat(memory.readLong(list + 32 + 8)).isEqualTo(1);
    assertThat(string(memory.readLong(list + 32 + 16))).isEqualTo("a b");
  }

  @Test
  void moreModulesThanThereIsRoomForAreRefused() throws IOException {
    Path kernel = file(Images.withMultibootHeader(Images.elf32(), 0));
    List<BootSource.Module> modules =
        Collections.nCopies(1000, BootSource.Module.of(directory.resolve("module")));

    assertThatThrownBy(
            () -> BootLoader.of(new BootSource.Multiboot(kernel, modules, "")).load(target))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("1000 modules");
  }

  @Test
  void linuxFindsItsInitialRamDisksOneAfterTheOther() throws IOException {
    Path kernel = file(Images.bzImage(Packing.packed("gzip", Images.elf64().array())));
    Path first = Files.write(directory.resolve("first"), new byte[] {1, 2, 3, 4, 5});
    Path second = Files.write(directory.resolve("second"), new byte[] {6, 7});

    CpuState state =
        BootLoader.of(
                new BootSource.Detect(
                    kernel, List.of(BootSource.Module.of(first), BootSource.Module.of(second)), ""))
            .load(target);

    long params = state.gpr()[RSI];
    assertThat(memory.readInt(params + 0x21C)).as("ramdisk_size").isEqualTo(10);
    assertThat(memory.read(memory.readInt(params + 0x218), 10))
        .containsExactly(1, 2, 3, 4, 5, 0, 0, 0, 6, 7);
  }

  @Test
  void anInitialRamDiskOfLinuxTakesNoArguments() throws IOException {
    Path kernel = file(Images.bzImage(Packing.packed("gzip", Images.elf64().array())));
    BootSource source =
        new BootSource.Detect(kernel, List.of(new BootSource.Module(kernel, "x=1")), "");

    assertThatThrownBy(() -> BootLoader.of(source).load(target))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("takes no arguments; found 'x=1'");
  }

  /** Versions of the boot protocol, and where each has the command line. */
  @ParameterizedTest
  @CsvSource({"0x200, 0x9800", "0x201, 0x9800", "0x202, 0xE000", "0x203, 0xE000", "0x207, 0xE000"})
  void aKernelOfAnOldProtocolIsEnteredInRealMode(String version, String commandLineAt)
      throws IOException {
    // given
    int protocol = Integer.decode(version);
    int offset = Integer.decode(commandLineAt);
    ByteBuffer image = Images.bzImage(new byte[] {1, 2, 3});
    image.putShort(0x206, (short) protocol);
    image.put(0x211, (byte) 1);
    Path initrd = Files.write(directory.resolve("initrd"), new byte[5000]);

    // when
    CpuState state =
        BootLoader.of(LinuxBoot.kernel(file(image)).initrd(initrd).commandLine("a=1")).load(target);

    // then the devices are set up in real mode, and the setup is entered 512 bytes behind its start
    assertThat(state.cr0() & 1).as("CR0.PE").isZero();
    assertThat(state.cs().base() + state.rip()).isEqualTo(BootArea.ENTRY_CODE);
    assertThat(state.ds().selector()).isEqualTo(0x9000);
    assertThat(state.ss().selector()).isEqualTo(0x9000);
    assertThat(state.gpr()[4]).as("SP").isEqualTo(offset);
    assertThat(realModeEntry()).isEqualTo(0x9020_0000);
    assertThat(memory.readInt(0x9_0202)).as("HdrS").isEqualTo(0x53726448);
    assertThat(memory.readByte(0x9_0210)).as("type_of_loader").isEqualTo(0xFF);
    assertThat(memory.readByte(0x9_0211) & 0x80)
        .as("CAN_USE_HEAP")
        .isEqualTo(protocol > 0x200 ? 0x80 : 0);
    assertThat(string(0x9_0000 + offset)).isEqualTo("a=1");
    if (protocol < 0x202) {
      assertThat(memory.readShort(0x9_0020)).isEqualTo(0xA33F);
      assertThat(memory.readShort(0x9_0022)).isEqualTo(offset);
    } else {
      assertThat(memory.readInt(0x9_0228)).isEqualTo(0x9_0000 + offset);
    }
    assertThat(memory.readInt(0x9_021C)).as("ramdisk_size").isEqualTo(5000);
    assertThat(memory.read(Images.LOAD_ADDRESS + 0x200, 5)).isEqualTo(Images.EXIT_42);
  }

  @Test
  void aZImageLiesBelowItsSetup() throws IOException {
    ByteBuffer image = Images.bzImage(new byte[] {1, 2, 3});
    image.put(0x211, (byte) 0);

    BootLoader.of(LinuxBoot.kernel(file(image))).load(target);

    assertThat(realModeEntry()).isEqualTo(0x9020_0000);
    assertThat(memory.read(0x1_0200, 5)).isEqualTo(Images.EXIT_42);
  }

  /** The target of the far jump that ends the code before the kernel. */
  private int realModeEntry() {
    for (long at = BootArea.ENTRY_CODE; at < BootArea.INFORMATION; at++) {
      if (memory.readByte(at) == 0xEA) {
        return memory.readInt(at + 1);
      }
    }
    throw new AssertionError("no entry code at 0x%x".formatted(BootArea.ENTRY_CODE));
  }

  private String string(long address) {
    int length = 0;
    while (memory.readByte(address + length) != 0) {
      length++;
    }
    return text(address, length);
  }

  /** What the code before the kernel puts into EAX. */
  private int multibootMagic() {
    return memory.readInt(endOfEntryCode() - 9);
  }

  /** Where the code before the kernel jumps. */
  private long multibootEntry() {
    return endOfEntryCode() + memory.readInt(endOfEntryCode() - 4);
  }

  /** It ends with mov eax, imm32 and jmp rel32, behind an out to the timer. */
  private long endOfEntryCode() {
    for (long at = BootArea.ENTRY_CODE; at < BootArea.INFORMATION; at++) {
      if (memory.readByte(at) == 0xB8 && memory.readByte(at + 5) == 0xE9) {
        return at + 10;
      }
    }
    throw new AssertionError("no entry code at 0x%x".formatted(BootArea.ENTRY_CODE));
  }

  private CpuState detect(ByteBuffer image) throws IOException {
    return BootLoader.of(new BootSource.Detect(file(image), List.of(), "")).load(target);
  }

  private Path file(ByteBuffer image) throws IOException {
    return Files.write(directory.resolve("image"), image.array());
  }

  private String text(long address, int length) {
    return new String(memory.read(address, length), StandardCharsets.UTF_8);
  }

  private void assertFlatProtectedMode(CpuState state) {
    assertThat(state.cr0() & 0x8000_0001L).as("PE without PG").isEqualTo(1);
    assertThat(state.cs().base()).isZero();
    assertThat(state.cs().limit()).isEqualTo(0xFFFF_FFFFL);
    assertThat(state.cs().attributes()).as("32-bit code").isEqualTo(0xC09B);
    assertThat(state.ds().attributes()).isEqualTo(0xC093);
    assertThat(state.rflags()).isEqualTo(2);
    assertDescriptor(state, state.cs().selector(), state.cs().attributes());
    assertDescriptor(state, state.ds().selector(), state.ds().attributes());
  }

  private void assertLongMode(CpuState state) {
    assertThat(state.cr0() & 0x8000_0001L).as("PE and PG").isEqualTo(0x8000_0001L);
    assertThat(state.cr4() & 1 << 5).as("PAE").isNotZero();
    assertThat(state.msr(0xC000_0080)).as("EFER: LME and LMA").isEqualTo(0x500);
    assertThat(state.cs().attributes()).as("64-bit code").isEqualTo(0xA09B);
    assertThat(state.cs().selector()).as("__BOOT_CS").isEqualTo(0x10);
    assertThat(state.ds().selector()).as("__BOOT_DS").isEqualTo(0x18);
    assertDescriptor(state, state.cs().selector(), state.cs().attributes());
    for (long address : new long[] {0, 0x10_0123, 0xFEE0_0000L, 0xFFFF_FFFFL}) {
      assertThat(translate(state.cr3(), address)).as("identity").isEqualTo(address);
    }
  }

  /** What the page tables of 2 MiB pages make of an address. */
  private long translate(long root, long address) {
    long pointers = memory.readLong(root + (address >> 39) * 8) & ~0xFFFL;
    long directory = memory.readLong(pointers + (address >> 30) * 8) & ~0xFFFL;
    long entry = memory.readLong(directory + (address >> 21 & 511) * 8);
    assertThat(entry & 0x83).as("present, writable, large").isEqualTo(0x83);
    return (entry & ~0x1F_FFFFL) + (address & 0x1F_FFFF);
  }

  /** The hidden part of a segment is what its descriptor in the GDT says. */
  private void assertDescriptor(CpuState state, int selector, int attributes) {
    long descriptor = memory.readLong(state.gdtr().base() + selector);
    assertThat(descriptor >> 40 & 0xF0FF).isEqualTo(attributes);
  }
}
