package io.vmm4j.software.machinecode;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.machinecode.verify.CodePiece;
import io.vmm4j.software.machinecode.verify.CodeVerifier;
import io.vmm4j.software.machinecode.verify.UnverifiedCodeException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Bytes of emitted code are changed by chance. What the verifier still accepts is executed with
 * values by chance, and touches nothing that it should not: it is wrong for the guest alone.
 *
 * <p>That is why changes are accepted that make other guest arithmetic of it: another constant,
 * operation, size or register of the guest, another field that code may access, another distance
 * from a checked address within what was checked, a stricter bound, another condition or another
 * instruction further on of a jump, another mask of flags.
 */
@Timeout(600)
@ExtendWith(BootedCodeResolver.class)
class ChangedBytesTest {
  private static final int UNCHANGED = 1_000;
  private static final int CHANGES = Integer.getInteger("vmm4j.verify.changes", 20_000);
  private static final long SEED = Long.getLong("vmm4j.verify.seed", 1);

  private static String hex(CodePiece piece) {
    return piece + " " + HexFormat.of().formatHex(piece.code());
  }

  @Test
  void emittedCodeTouchesNothingElse(BootedCode booted) {
    Random random = new Random(SEED);
    List<String> wrong = new ArrayList<>();
    try (CodeBench bench = new CodeBench(SEED)) {
      assertThat(bench.exitStub()).isEqualTo(booted.exit());
      for (int i = 0; i < UNCHANGED; i++) {
        CodePiece piece = booted.pieces().get(random.nextInt(booted.pieces().size()));
        bench.execute(piece).forEach(what -> wrong.add(what + ": " + hex(piece)));
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void acceptedChangesTouchNothingElse(BootedCode booted) {
    Random random = new Random(SEED);
    CodeVerifier verifier = booted.verifier();
    List<String> wrong = new ArrayList<>();
    int accepted = 0;
    try (CodeBench bench = new CodeBench(SEED)) {
      for (int i = 0; i < CHANGES; i++) {
        CodePiece piece = booted.pieces().get(random.nextInt(booted.pieces().size()));
        CodePiece changed = changed(piece, random);
        try {
          verifier.verify(changed);
        } catch (UnverifiedCodeException e) {
          continue;
        }
        accepted++;
        bench.execute(changed).forEach(what -> wrong.add(what + ": " + hex(changed)));
      }
    }
    System.out.printf("%d of %d changes were accepted%n", accepted, CHANGES);
    assertThat(wrong).isEmpty();
    assertThat(accepted).isBetween(CHANGES / 100, CHANGES / 2);
  }

  /** One bit, one byte, or a byte and the next. */
  private static CodePiece changed(CodePiece piece, Random random) {
    byte[] code = piece.code().clone();
    int at = random.nextInt(code.length);
    switch (random.nextInt(3)) {
      case 0 -> code[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> code[at] = (byte) random.nextInt();
      default -> {
        code[at] = (byte) random.nextInt();
        code[Math.min(at + 1, code.length - 1)] = (byte) random.nextInt();
      }
    }
    return new CodePiece(
        code,
        piece.at(),
        piece.mode(),
        piece.number(),
        piece.guestOffset(),
        piece.instructions(),
        piece.resume(),
        piece.begin(),
        piece.dead(),
        piece.taken(),
        piece.next());
  }
}
