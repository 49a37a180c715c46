package io.vmm4j.engine.machine.clock;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.device.DeviceTimer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

class TimerQueueTest {
  private final List<String> fired = new ArrayList<>();
  private final TimerQueue queue =
      new TimerQueue(new ReentrantLock(), (path, during, cause) -> fired.add(path + "!" + during));

  private DeviceTimer timer(String name) {
    return queue.timer("device", name, () -> fired.add(name));
  }

  @Test
  void timersFireByDeadlineAndThoseOfOneDeadlineInTheOrderTheyWereMade() {
    DeviceTimer first = timer("first");
    DeviceTimer second = timer("second");
    DeviceTimer third = timer("third");
    third.armAt(5);
    second.armAt(10);
    first.armAt(10);
    assertThat(queue.nextDeadline()).isEqualTo(5);
    queue.fireDue(9);
    queue.fireDue(10);
    assertThat(fired).containsExactly("third", "first", "second");
    assertThat(queue.nextDeadline()).isEqualTo(TimerQueue.NEVER);
  }

  @Test
  void armingAgainReplacesTheDeadlineAndCancellingForgetsIt() {
    DeviceTimer timer = timer("timer");
    timer.armAt(5);
    timer.armAt(20);
    queue.fireDue(10);
    assertThat(timer.isArmed()).isTrue();
    timer.cancel();
    queue.fireDue(100);
    assertThat(fired).isEmpty();
  }

  @Test
  void aTimerThatIsForEverDueDoesNotHoldUpItsQueue() {
    DeviceTimer[] timer = new DeviceTimer[1];
    timer[0] = queue.timer("device", "loop", () -> timer[0].armAt(0));
    timer[0].armAt(0);
    queue.fireDue(10);
    assertThat(timer[0].isArmed()).isTrue();
    assertThat(queue.fired()).isBetween(1L, 2L);
  }

  @Test
  void anActionThatThrowsIsReportedAndTheOthersFire() {
    queue
        .timer(
            "bad",
            "boom",
            () -> {
              throw new IllegalStateException();
            })
        .armAt(1);
    timer("good").armAt(2);
    queue.fireDue(3);
    assertThat(fired).containsExactly("bad!timer boom", "good");
  }

  @Test
  void realTimeStandsWhileItIsStopped() {
    AtomicLong host = new AtomicLong(1000);
    RealTime time = new RealTime(Instant.EPOCH, host::get);
    host.set(2000);
    assertThat(time.nanoTime()).isZero();
    time.start();
    host.set(2500);
    time.start();
    assertThat(time.nanoTime()).isEqualTo(500);
    time.stop();
    host.set(9000);
    assertThat(time.nanoTime()).isEqualTo(500);
    time.start();
    host.set(9001);
    assertThat(time.wallTime()).isEqualTo(Instant.EPOCH.plusNanos(501));
  }
}
