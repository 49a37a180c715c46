package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a Multiboot kernel finds at its first instruction, on the machine itself. */
@Timeout(1200)
class MultibootEntryTest {
  private static final long ENTRY = Images.LOAD_ADDRESS + Images.CODE_OFFSET;
  private static final int SET_UP_AT_MOST = 100;
  private static final int REAL_MODE_ADDRESS = 0x1_0000;

  /** The source is in {@code real-mode-kernel.asm}; to lie at 0x10200. */
  private static final String REAL_MODE_KERNEL =
      "2e0f0115600201002e0f011d6602010066b810008ed88ec08ed0ea210200"
          + "0008000f20c024fe0f22c0ea2e02001031c08ed0bc0070cd11fbf4f4e421"
          + "2cd0e6f4f4909090909090900000000000000000ffff0000019b0000ffff"
          + "000001930000170048020100ff0300000000";

  @TempDir private Path directory;

  private VmSpec spec(ByteBuffer image) throws IOException {
    Path kernel = Files.write(directory.resolve("kernel"), image.array());
    return VmSpec.builder("multiboot")
        .backend(Backends.software())
        .clock(ClockMode.VIRTUAL)
        .memory(MemorySize.mebibytes(2))
        .boot(BootSource.Multiboot.kernel(kernel))
        .device("exit", DebugExitConfig.DEFAULT)
        .build();
  }

  @Test
  void theStateIsWhatTheSpecificationSays() throws IOException {
    // given a machine that stands at the kernel's first instruction
    try (Vm vm = Vm.create(spec(Images.withMultibootHeader(Images.elf32(), 0)))) {
      for (int steps = 0; vm.cpuState(0).rip() != ENTRY && steps < SET_UP_AT_MOST; steps++) {
        vm.step(1);
      }
      CpuState state = vm.cpuState(0);

      // then it is as in the Multiboot specification 0.6.96, 3.2
      assertThat(state.rip()).isEqualTo(ENTRY);
      assertThat(state.gpr()[0]).as("EAX").isEqualTo(0x2BADB002);
      assertThat(vm.memory().readInt(state.gpr()[3])).as("flags of the information").isNotZero();
      assertThat(state.cr0() & 0x8000_0001L).as("PE without PG").isEqualTo(1);
      assertThat(state.rflags() & 0x2_0200).as("VM and IF").isZero();
      assertFlat(state.cs(), 0xC09B);
      for (SegmentState data :
          new SegmentState[] {state.ds(), state.es(), state.fs(), state.gs(), state.ss()}) {
        assertFlat(data, 0xC093);
      }
      assertThat(vm.memory().read(ENTRY, 5)).isEqualTo(Images.EXIT_42);
    }
  }

  private static void assertFlat(SegmentState segment, int attributes) {
    assertThat(segment.base()).isZero();
    assertThat(segment.limit()).isEqualTo(0xFFFF_FFFFL);
    assertThat(segment.attributes()).isEqualTo(attributes);
  }

  private VmExit end(String code) throws IOException {
    ByteBuffer image = Images.withMultibootHeader(Images.elf32(), 0);
    image.put(Images.CODE_OFFSET, HexFormat.of().parseHex(code.replace(" ", "")));
    try (Vm vm = Vm.start(spec(image))) {
      return vm.awaitExit(Duration.ofMinutes(10));
    }
  }

  /** The table in docs/guests.md. */
  @Test
  void aKernelEndsItsRunInEachOfTheUsualWays() throws IOException {
    // mov dx, 0x604; mov ax, 0x2000; out dx, ax: the power-off that test kernels write for QEMU
    assertThat(end("66ba0406 66b80020 66ef f4")).isEqualTo(new VmExit.PoweredOff());
    // in al, 0x92; or al, 1; out 0x92, al
    assertThat(end("e492 0c01 e692 f4"))
        .isEqualTo(new VmExit.Reset(VmExit.Reset.Cause.SYSTEM_CONTROL_PORT));
    // mov al, 0xfe; out 0x64, al
    assertThat(end("b0fe e664 f4"))
        .isEqualTo(new VmExit.Reset(VmExit.Reset.Cause.KEYBOARD_CONTROLLER));
    // mov dx, 0xcf9; mov al, 6; out dx, al
    assertThat(end("66baf90c b006 ee f4"))
        .isEqualTo(new VmExit.Reset(VmExit.Reset.Cause.RESET_CONTROL_REGISTER));
    // lidt [0x100300], which is zeros; int3
    assertThat(end("0f011d00031000 cc f4"))
        .isInstanceOfSatisfying(
            VmExit.Reset.class,
            reset -> {
              assertThat(reset.cause()).isEqualTo(VmExit.Reset.Cause.TRIPLE_FAULT);
              assertThat(reset.detail()).contains("triple fault of vcpu/0", "rip");
            });
    // mov al, 42; out 0xf4, al
    assertThat(end("b02a e6f4 f4")).isEqualTo(new VmExit.DebugExit(42));
  }

  @Test
  void realModeFindsTheVectorsAndTheTimerOfABios() throws IOException {
    // given a kernel that goes back to real mode, calls a BIOS service and waits for the timer
    ByteBuffer image = Images.flatMultiboot();
    image.putInt(Images.HEADER_OFFSET + 12, REAL_MODE_ADDRESS + Images.HEADER_OFFSET);
    image.putInt(Images.HEADER_OFFSET + 16, REAL_MODE_ADDRESS);
    image.putInt(Images.HEADER_OFFSET + 20, REAL_MODE_ADDRESS + 0x300);
    image.putInt(Images.HEADER_OFFSET + 24, 0);
    image.putInt(Images.HEADER_OFFSET + 28, REAL_MODE_ADDRESS + Images.CODE_OFFSET);
    image.put(Images.CODE_OFFSET, HexFormat.of().parseHex(REAL_MODE_KERNEL));

    try (Vm vm = Vm.start(spec(image))) {
      // then it comes to its end, after two ticks of 18.2 a second
      assertThat(vm.awaitExit(Duration.ofMinutes(10))).isEqualTo(new VmExit.DebugExit(42));
      assertThat(vm.clock().nanoTime() / 1_000_000).isBetween(109L, 111L);
    }
  }
}
