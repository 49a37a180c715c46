package io.vmm4j.guests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GuestWorkTest {
  @Test
  void theLinesAreThoseThatBusyboxPrints() {
    // given what /bin/work printed with Debian's busybox on a real processor
    String[] printed = {
      "work 1 83f8028d9a9ddad572527647e51a66c7",
      "work 2 f18143b1ac6195518f0e7849623dc045",
      "work 3 521778b7cca8403e2b762f76fa4ecfb0"
    };

    // then the host computes the same
    assertThat(GuestWork.lines(3, GuestWork.DEFAULT_MEBIBYTES)).containsExactly(printed);
    assertThat(GuestWork.lines(1, 1)).containsExactly("work 1 8b778dbc2d42e07f46219eb50ee434e0");
  }

  @Test
  void linesAreFoundAmongOtherOutput() {
    // given a transcript with an echoed command, terminal line ends and a line cut short
    String transcript =
        "vmm4j:~# work 2 1\r\nwork 1 8b778dbc2d42e07f46219eb50ee434e0\r\n[ 1.2] noise\r\n"
            + "work 2 581370ee4686efca3402b72e220c181f\r\nwork 3 f0d5ac6";

    assertThat(GuestWork.linesIn(transcript)).isEqualTo(GuestWork.lines(2, 1));
  }

  @Test
  void anAmountThatTheGuestWouldRoundUpIsRefused() {
    assertThatThrownBy(() -> GuestWork.lines(1, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("power of two");
  }
}
