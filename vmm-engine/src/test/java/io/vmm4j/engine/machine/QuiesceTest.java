package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.api.memory.GuestMemory;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** While a machine is saved no request of a device is half done. */
class QuiesceTest {
  private static final long FIRST = 0x1000;
  private static final long LAST = 0x9000;

  private enum How {
    STOPPED,
    LIVE
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean isIn(Thread thread, String method) {
    return Arrays.stream(thread.getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals(method));
  }

  /** A device whose worker writes a number to two pages, and waits in between. */
  private static final class Writer extends ScriptedDevices.Plain {
    private final CountDownLatch half = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final Deque<Integer> requests = new ArrayDeque<>();
    private final DeviceWorker worker;
    private final GuestMemory memory;
    private volatile int completed;

    Writer(DeviceContext context) {
      memory = context.memory();
      worker = context.worker("writes", this::take);
    }

    private Optional<DeviceWorker.Request> take() {
      return Optional.ofNullable(requests.poll())
          .map(number ->
              new DeviceWorker.Request() {
                @Override
                public void work() {
                  memory.writeInt(FIRST, number);
                  half.countDown();
                  await(goOn);
                  memory.writeInt(LAST, number);
                }

                @Override
                public void complete() {
                  completed = number;
                }
              });
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSnapshotWaitsForTheRequestUnderWay(How how) throws Exception {
    Writer[] device = new Writer[1];
    ScriptedDevices devices =
        new ScriptedDevices().with("writer", context -> device[0] = new Writer(context));
    try (Vm vm = devices.create(ClockMode.REAL)) {
      vm.resume();
      Writer writer = device[0];
      writer.requests.add(7);
      writer.requests.add(8);
      writer.worker.wake();
      await(writer.half);
      SnapshotOptions options =
          how == How.LIVE ? SnapshotOptions.live() : SnapshotOptions.stopped();
      FutureTask<Snapshot> capture = new FutureTask<>(() -> vm.snapshot(options));
      Thread thread = Thread.ofPlatform().start(capture);
      // Without the wait the snapshot would be there, with one page of two.
      while (!capture.isDone() && !isIn(thread, "quiesce")) {
        Thread.onSpinWait();
      }
      writer.goOn.countDown();
      try (Snapshot snapshot = capture.get(1, TimeUnit.MINUTES)) {
        assertThat(SnapshotContents.intAt(snapshot, FIRST)).isEqualTo(7);
        assertThat(SnapshotContents.intAt(snapshot, LAST)).isEqualTo(7);
      }
      while (writer.completed != 8) {
        Thread.onSpinWait(); // what had to wait goes on afterwards
      }
    }
  }

  /** A device with a thread of its own that never rests but while the device is quiet. */
  private static final class Hammer extends ScriptedDevices.Plain {
    private final ReentrantLock atWork = new ReentrantLock(true);
    private final Thread thread;
    private volatile boolean closed;
    private volatile int round;

    Hammer(DeviceContext context) {
      GuestMemory memory = context.memory();
      thread =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                while (!closed) {
                  atWork.lock();
                  try {
                    round++;
                    memory.writeInt(FIRST, round);
                    Thread.yield();
                    memory.writeInt(LAST, round);
                  } finally {
                    atWork.unlock();
                  }
                }
              });
    }

    @Override
    public void quiesce() {
      atWork.lock();
    }

    @Override
    public void resume() {
      atWork.unlock();
    }

    @Override
    public void close() {
      closed = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void aThreadOfADevicesOwnIsKeptOutOfMemory() throws IOException {
    Hammer[] device = new Hammer[1];
    ScriptedDevices devices =
        new ScriptedDevices().with("hammer", context -> device[0] = new Hammer(context));
    try (Vm vm = devices.create(ClockMode.REAL)) {
      vm.resume();
      for (int i = 0; i < 30; i++) {
        int before = device[0].round;
        while (device[0].round == before) {
          Thread.onSpinWait();
        }
        try (Snapshot snapshot = vm.snapshot()) {
          assertThat(SnapshotContents.intAt(snapshot, FIRST))
              .as("round %d", i)
              .isEqualTo(SnapshotContents.intAt(snapshot, LAST));
        }
      }
    }
  }

  @Test
  void whatADeviceWasToDoSoonIsDoneBeforeItIsSaved() {
    int[] done = {0};
    DeviceContext[] contexts = new DeviceContext[1];
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "device",
                context -> {
                  contexts[0] = context;
                  return new ScriptedDevices.Plain() {
                    @Override
                    public ScriptedDevices.NoState save() {
                      assertThat(done[0]).isEqualTo(2);
                      return new ScriptedDevices.NoState();
                    }
                  };
                });
    try (Vm vm = devices.create(ClockMode.VIRTUAL)) {
      contexts[0].execute(() -> {
        done[0]++;
        contexts[0].execute(() -> done[0]++);
      });
      vm.snapshot().close();
      assertThat(done[0]).isEqualTo(2);
    }
  }

  @Test
  void underVirtualTimeRequestsAreDoneByTheMachineAtTheSameInstruction() {
    assertThat(trace()).isEqualTo(trace()).contains("at 11");
  }

  private static String trace() {
    StringBuilder trace = new StringBuilder();
    DeviceWorker[] worker = new DeviceWorker[1];
    int[] waiting = {0};
    ScriptedDevices devices =
        new ScriptedDevices()
            .with(
                "device",
                context -> {
                  worker[0] =
                      context.worker(
                          "requests",
                          () ->
                              waiting[0]-- <= 0
                                  ? Optional.empty()
                                  : Optional.of(
                                      new DeviceWorker.Request() {
                                        @Override
                                        public void work() {
                                          trace.append("at ").append(context.clock().nanoTime());
                                        }

                                        @Override
                                        public void complete() {
                                          trace.append(", ");
                                        }
                                      }));
                  return new ScriptedDevices.Plain();
                });
    FakeBackend backend =
        new FakeBackend((host, vcpu) -> {
          if (vcpu.rip % 10 == 1) {
            waiting[0] = 2;
            worker[0].wake();
          }
          return FakeBackend.Outcome.NEXT;
        });
    try (Vm vm = devices.create(ClockMode.VIRTUAL, backend)) {
      vm.step(50);
    }
    return trace.toString();
  }

  @Test
  void aResetWaitsForTheRequestUnderWayAndTheThreadsEndWithTheMachine() {
    Writer[] device = new Writer[1];
    int[] completedAtReset = {-1};
    ScriptedDevices devices =
        new ScriptedDevices().with("writer", context -> device[0] = new Writer(context));
    CountDownLatch reset = new CountDownLatch(1);
    try (Vm vm = devices.create(ClockMode.REAL)) {
      vm.resume();
      Writer writer = device[0];
      writer.requests.add(7);
      writer.worker.wake();
      await(writer.half);
      writer.worker.whenIdle(() -> {
        completedAtReset[0] = writer.completed;
        reset.countDown();
      });
      assertThat(completedAtReset[0]).isEqualTo(-1);
      writer.goOn.countDown();
      await(reset);
      assertThat(completedAtReset[0]).isEqualTo(7);
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("vmm-machine-writer-writes"));
  }
}
