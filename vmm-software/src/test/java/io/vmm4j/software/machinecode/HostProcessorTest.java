package io.vmm4j.software.machinecode;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HostProcessorTest {
  private static final String MODERN =
      "flags\t\t: fpu sse sse2 pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm avx2";

  @Test
  void aProcessorWithAllThatIsNeeded() {
    assertThat(HostProcessor.missing(MODERN)).isEmpty();
  }

  @Test
  void whatAnOldProcessorLacksIsNamed() {
    assertThat(HostProcessor.missing("flags\t\t: fpu sse sse2 pni ssse3 cx16 lahf_lm"))
        .containsExactly("sse4_1", "sse4_2", "popcnt");
  }

  @Test
  void aLineThatIsEmptyOrNotThereLacksEverything() {
    assertThat(HostProcessor.missing("")).contains("sse2", "lahf_lm");
    assertThat(HostProcessor.missing("flags :")).contains("sse2", "lahf_lm");
  }
}
