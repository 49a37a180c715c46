package io.vmm4j.software.machinecode;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.machinecode.verify.CodeVerifier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The code that is made while Linux boots is as the verifier has it. */
@Timeout(600)
@ExtendWith(BootedCodeResolver.class)
class EmittedCodeTest {

  /**
   * Each block was verified when it was made; here it is again, so that it is known that it was.
   */
  @Test
  void eachBlockIsAccepted(BootedCode booted) {
    CodeVerifier verifier = booted.verifier();

    booted.pieces().forEach(verifier::verify);

    assertThat(booted.pieces()).hasSizeGreaterThan(10_000);
  }

  @Test
  void eachLinkedJumpLeadsToABlockOfItsModeAndPage(BootedCode booted) {
    assertThat(booted.badLinks()).isEmpty();
    assertThat(booted.links()).isGreaterThan(5_000);
  }
}
