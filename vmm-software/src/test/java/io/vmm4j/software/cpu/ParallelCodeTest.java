package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.backend.VcpuRunner.StopReason;
import io.vmm4j.software.machinecode.MachineCode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Machine code that some vCPUs execute while it is made void, and makes room for other code. */
@Timeout(300)
class ParallelCodeTest {
  private static final int CPUS = 3;
  private static final int BLOCKS = 3000;
  private static final int ROUNDS = 100;

  /** Where the blocks lie. */
  private static final int HERE = 0x20_0000;

  private final List<BareCpu> all = BareCpu.parallel(CPUS);
  private CountDownLatch done = new CountDownLatch(CPUS);
  private final AtomicReference<Throwable> thrown = new AtomicReference<>();
  private MachineCode code;

  @BeforeEach
  void opens() {
    assumeTrue(MachineCode.missing().isEmpty(), "no machine code here");
    code = MachineCode.open(all.getFirst().host, 1 << 18);
    // Blocks that jump to the next one, all of them some times over, and HLT.
    BareCpu bare = all.getFirst();
    int at = HERE;
    for (int i = 0; i < BLOCKS; i++) {
      // INC RAX; JMP
      at = put(bare, at, 0x48, 0xFF, 0xC0, 0xEB, 0);
    }
    int back = HERE - (at + 8);
    // DEC ECX; JNZ; HLT
    put(bare, at, 0xFF, 0xC9, 0x0F, 0x85, back, back >> 8, back >> 16, back >> 24, 0xF4);
  }

  @AfterEach
  void closes() {
    if (code != null) {
      code.close();
    }
  }

  private static int put(BareCpu bare, int at, int... bytes) {
    for (int i = 0; i < bytes.length; i++) {
      bare.put8(at + i, bytes[i]);
    }
    return at + bytes.length;
  }

  private void start(BareCpu bare) {
    RunLoop loop = new RunLoop(bare.cpu, code.runner(bare.cpu));
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          bare.cpu.rip = HERE;
          bare.cpu.halted = false;
          bare.cpu.gpr[Cpu.RAX] = 0;
          bare.cpu.gpr[Cpu.RCX] = ROUNDS;
          bare.cpu.member.begin();
          try {
            assertThat(loop.run(Long.MAX_VALUE)).isEqualTo(StopReason.HALTED);
          } catch (Throwable e) {
            thrown.set(e);
          } finally {
            bare.cpu.member.end();
            done.countDown();
          }
        });
  }

  private void assertAllCounted() {
    assertThat(thrown).hasValue(null);
    for (BareCpu bare : all) {
      assertThat(bare.cpu.gpr[Cpu.RAX]).isEqualTo((long) BLOCKS * ROUNDS);
    }
  }

  private long counted(String name) {
    Map<String, Long> counters = new LinkedHashMap<>();
    code.count(counters);
    return counters.get(name);
  }

  @Test
  void codeMakesRoomOnceNobodyExecutesIt() throws InterruptedException {
    all.forEach(this::start);
    done.await();
    assertAllCounted();
    assertThat(counted("codeEvictions")).isGreaterThan(1);
  }

  @Test
  void codeIsMadeVoidWhileItIsExecuted() throws InterruptedException {
    DecodedCode decoded = all.getFirst().cpu.mmu.code().decoded();
    int page = 0;
    do { // once more where the host's scheduler has let this thread do little
      done = new CountDownLatch(CPUS);
      all.forEach(this::start);
      while (done.getCount() > 0) {
        decoded.writtenByOthers(HERE + 0x1000L * (page++ & 3), 0x1000);
      }
      assertAllCounted();
    } while (counted("codeInvalidations") <= 1000);
  }
}
