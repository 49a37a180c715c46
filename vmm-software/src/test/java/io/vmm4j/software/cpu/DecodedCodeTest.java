package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.VcpuRunner.StopReason;
import io.vmm4j.software.TestHost;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Code that two vCPUs of one machine share, one of which writes over it. */
class DecodedCodeTest {
  private static final int CODE = 0x9000;

  /** {@code mov byte [0x9001], 5; hlt}. */
  private static final String STORE = "c6 06 01 90 05 f4";

  /** {@code mov byte [0x9800], 1; hlt}: makes the page of the code one that is written fast. */
  private static final String TOUCH = "c6 06 00 98 01 f4";

  private final TestHost host = new TestHost();
  private final DecodedCode decoded = new DecodedCode(TestHost.MEMORY_BYTES);
  private final Cpu writer = new Cpu(0, host, decoded);
  private final Cpu reader = new Cpu(1, host, decoded);

  private void put(int address, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, host.memory(), address, bytes.length);
  }

  private static void run(Cpu cpu, int address) {
    cpu.seg[Cpu.CS].set(0, 0, 0xFFFF, 0x9B);
    cpu.rip = address;
    cpu.halted = false;
    cpu.waitForStartup = false;
    cpu.modeChanged();
    assertThat(Tiers.loop(cpu).run(100)).isEqualTo(StopReason.HALTED);
  }

  @Test
  void whatOneWritesIsVoidForTheOther() {
    writer.system.powerOn();
    reader.system.powerOn();
    put(0x8000, STORE);
    put(0x8100, TOUCH);
    put(CODE, "b0 03 f4"); // mov al, 3; hlt
    run(writer, 0x8100);
    run(reader, CODE);
    assertThat(reader.gpr[Cpu.RAX]).isEqualTo(3);

    run(writer, 0x8000);
    run(reader, CODE);
    assertThat(reader.gpr[Cpu.RAX]).isEqualTo(5);
  }

  @Test
  void whatOthersWriteIsVoidForWhoeverRunsNext() {
    writer.system.powerOn();
    reader.system.powerOn();
    put(CODE, "b0 03 f4");
    run(reader, CODE);
    run(writer, CODE);

    put(CODE, "b0 07 f4");
    writer.mmu.writtenByOthers(CODE, 3);
    run(reader, CODE);
    run(writer, CODE);
    assertThat(reader.gpr[Cpu.RAX]).isEqualTo(7);
    assertThat(writer.gpr[Cpu.RAX]).isEqualTo(7);
  }
}
