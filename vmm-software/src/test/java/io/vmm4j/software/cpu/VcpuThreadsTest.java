package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.TestHost;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What vCPUs on threads of their own agree on, and what it means for decoded code. */
@Timeout(60)
class VcpuThreadsTest {
  private static final int CODE = 0x9000;

  private final TestHost host = new TestHost();
  private final DecodedCode decoded = DecodedCode.ofParallel(TestHost.MEMORY_BYTES);
  private final VcpuThreads threads = decoded.threads();
  private final Cpu first = cpu(0);
  private final Cpu second = cpu(1);

  private Cpu cpu(int index) {
    Cpu cpu = new Cpu(index, host, decoded);
    cpu.system.powerOn();
    cpu.seg[Cpu.CS].set(0, 0, 0xFFFF, 0x9B);
    cpu.modeChanged();
    return cpu;
  }

  private void put(int address, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, host.memory(), address, bytes.length);
  }

  @Test
  void anEpochIsReachedOnceAllAreOutOrHavePassed() {
    assertThat(threads.reached(threads.begin())).as("all are out").isTrue();

    first.member.begin();
    second.member.begin();
    long epoch = threads.begin();
    assertThat(threads.reached(epoch)).isFalse();
    assertThat(first.signals() & Cpu.SIGNAL_MEMORY).isNotZero();
    first.member.pass();
    assertThat(threads.reached(epoch)).isFalse();
    second.member.end();
    assertThat(threads.reached(epoch)).isTrue();
    second.member.begin();
    assertThat(threads.reached(epoch)).as("who comes in later has passed").isTrue();
  }

  @Test
  void whoWaitsForADeviceIsOutAndNestedCallsAreOne() {
    first.member.begin();
    long epoch = threads.begin();
    assertThat(first.member.goOut()).isTrue();
    assertThat(first.member.goOut()).as("it is out already").isFalse();
    assertThat(threads.reached(epoch)).isTrue();
    first.member.comeBack();
    assertThat(first.member.goOut()).isTrue();
  }

  @Test
  void anotherThreadDoesNotTakeAVcpuOut() throws InterruptedException {
    first.member.begin();
    AtomicBoolean out = new AtomicBoolean();
    Thread other = Thread.ofPlatform().start(() -> out.set(first.member.goOut()));
    other.join();
    assertThat(out).isFalse();
    assertThat(threads.reached(threads.begin())).isFalse();
  }

  @Test
  void whoIsAloneIsAlone() throws InterruptedException {
    int rounds = 300;
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger wrong = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(2);
    Cpu third = cpu(2);
    for (Cpu cpu : new Cpu[] {first, second}) {
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            cpu.member.begin();
            for (int i = 0; i < rounds; i++) {
              cpu.member.alone(() -> {
                wrong.addAndGet(inside.getAndIncrement());
                inside.getAndDecrement();
              });
            }
            cpu.member.end();
            done.countDown();
          });
    }
    third.member.begin();
    while (done.getCount() > 0) {
      // Between two passes it is in, and nobody is alone.
      wrong.addAndGet(inside.get());
      third.member.pass();
    }
    third.member.end();
    assertThat(wrong).hasValue(0);
  }

  @Test
  void aBlockIsKeptOnceNobodyCanWriteItsPageUnnoticed() {
    put(CODE, "b0 03 f4"); // mov al, 3; hlt
    first.member.begin();
    second.member.begin();
    second.mmu.write8(CODE + 0x800, 1); // the page is in its fast write path

    assertThat(first.mmu.code().lookup(CODE).isTransient()).isTrue();
    put(CODE, "b0 04 f4"); // so may the second vCPU, and nobody is told
    Block again = first.mmu.code().lookup(CODE);
    assertThat(again.isTransient()).isTrue();
    assertThat(again.instructions[0].imm).isEqualTo(4);

    second.member.pass();
    Block kept = first.mmu.code().lookup(CODE);
    assertThat(kept.isTransient()).isFalse();
    assertThat(second.mmu.code().lookup(CODE)).isSameAs(kept);
    second.mmu.write8(CODE + 1, 5);
    assertThat(kept.isValid()).isFalse();
    assertThat(first.mmu.code().lookup(CODE).instructions[0].imm).isEqualTo(5);
  }

  @Test
  void whatDevicesWriteIsVoidAtOnce() {
    put(CODE, "b0 03 f4");
    first.member.begin();
    Block block = first.mmu.code().lookup(CODE);
    assertThat(block.isTransient()).isFalse();
    put(CODE, "b0 07 f4");
    decoded.writtenByOthers(CODE, 3);
    assertThat(block.isValid()).isFalse();
    assertThat(first.mmu.code().lookup(CODE).instructions[0].imm).isEqualTo(7);
  }
}
