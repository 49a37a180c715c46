package io.vmm4j.network;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NetworkClockTest {
  private long host;
  private long guest;
  private final NetworkClock clock = new NetworkClock(() -> host, () -> guest);

  private long passed(long ofHost, long ofGuest) {
    long before = clock.nanos();
    host += ofHost;
    guest += ofGuest;
    clock.advance();
    return clock.nanos() - before;
  }

  @Test
  void timePassesWhenItDoesForHostAndGuest() {
    assertThat(passed(10, 10)).isEqualTo(10);
    assertThat(passed(1000, 0)).as("paused").isZero();
    assertThat(passed(3, 100_000)).as("virtual time flies").isEqualTo(3);
    assertThat(passed(5, -70_000)).as("restored").isZero();
    assertThat(passed(5, 5)).isEqualTo(5);
  }
}
