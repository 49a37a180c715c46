package io.vmm4j.engine.software.machinecode;

import io.vmm4j.engine.software.machinecode.verify.CodePiece;
import io.vmm4j.engine.software.machinecode.verify.CodeVerifier;

/** What it costs to verify the code of a boot, as a program. */
final class VerifyFigures {
  private static final int ROUNDS = 12;

  private VerifyFigures() {}

  /** Prints nanoseconds for each translated instruction, of the first round and the best. */
  public static void main(String[] arguments) {
    BootedCode booted = BootedCode.boot();
    CodeVerifier verifier = new CodeVerifier(CodeCheck.contract(), booted.exit(), booted.lookups());
    long instructions = booted.pieces().stream().mapToLong(CodePiece::instructions).sum();
    long bytes = booted.pieces().stream().mapToLong(p -> p.code().length).sum();
    System.out.printf(
        "%d blocks, %d instructions, %d bytes, %d links, %d of them bad%n",
        booted.pieces().size(), instructions, bytes, booted.links(), booted.badLinks().size());
    for (int round = 0; round < ROUNDS; round++) {
      long begin = System.nanoTime();
      booted.pieces().forEach(verifier::verify);
      long nanos = System.nanoTime() - begin;
      System.out.printf("%d ns an instruction%n", nanos / instructions);
    }
  }
}
