package io.vmm4j.software.machinecode.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.vmm4j.software.machinecode.BootedCode;
import io.vmm4j.software.machinecode.BootedCodeResolver;
import io.vmm4j.software.machinecode.verify.CodePiece.Link;
import io.vmm4j.software.machinecode.verify.MistakeList.Mistake;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Mistakes are planted in blocks of a boot, each of them in many; each is refused, for the reason
 * that is meant.
 */
@Timeout(600)
@ExtendWith(BootedCodeResolver.class)
class PlantedMistakesTest {
  private static final int MOST_TIMES = 50;

  /** Blocks of which each jump is tried with each target. */
  private static final int FEW = 12;

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void eachMistakeIsRefused(BootedCode booted) {
    CodeVerifier verifier = booted.verifier();
    List<Mistake> left = new LinkedList<>(Mistakes.of(booted.contract()));
    Map<Mistake, Integer> times = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    for (CodePiece piece : booted.pieces()) {
      Edit whole = new Edit(piece);
      left.removeIf(mistake -> {
        List<CodePiece> planted = planted(mistake, piece, whole);
        List<String> outcomes =
            planted.stream()
                .map(p -> outcome(verifier, p, mistake.reason()))
                .filter(outcome -> !outcome.isEmpty())
                .toList();
        outcomes.stream().findFirst().ifPresent(o -> wrong.add(mistake + ": " + o));
        int sum = times.merge(mistake, planted.size(), Integer::sum);
        return sum >= MOST_TIMES || !outcomes.isEmpty();
      });
    }
    left.stream()
        .filter(mistake -> times.get(mistake) == 0)
        .forEach(mistake -> wrong.add(mistake + ": no place for it"));
    assertThat(wrong).isEmpty();
  }

  private static List<CodePiece> planted(Mistake mistake, CodePiece piece, Edit whole) {
    List<CodePiece> planted = new ArrayList<>();
    for (int i = 0; i < whole.size(); i++) {
      if (mistake.place().is(whole, i)) {
        Edit edit = new Edit(piece);
        mistake.change().apply(edit, i);
        planted.add(edit.done());
      }
    }
    return planted;
  }

  /** Empty if it is refused as it should be. */
  private static String outcome(CodeVerifier verifier, CodePiece piece, String reason) {
    try {
      verifier.verify(piece);
      return "accepted: " + piece + " " + hex(piece.code());
    } catch (UnverifiedCodeException e) {
      boolean meant = e.reason().matches(".*(" + reason + ").*");
      return meant ? "" : "refused because of: " + e.getMessage() + " in " + hex(piece.code());
    }
  }

  private static void refused(BootedCode booted, String reason, UnaryOperator<CodePiece> mistake) {
    refused(booted, reason, mistake, piece -> true);
  }

  private static void refused(
      BootedCode booted,
      String reason,
      UnaryOperator<CodePiece> mistake,
      Predicate<CodePiece> where) {
    CodeVerifier verifier = booted.verifier();
    for (CodePiece piece : booted.pieces().stream().filter(where).limit(MOST_TIMES).toList()) {
      assertThatExceptionOfType(UnverifiedCodeException.class)
          .as(piece::toString)
          .isThrownBy(() -> verifier.verify(mistake.apply(piece)))
          .withMessageMatching("(?s).*(" + reason + ").*");
    }
  }

  private static CodePiece with(
      CodePiece p, int mode, int number, int instructions, int[] resume, int dead) {
    return new CodePiece(
        p.code(),
        p.at(),
        mode,
        number,
        p.guestOffset(),
        instructions,
        resume,
        p.begin(),
        dead,
        p.taken(),
        p.next());
  }

  /** Code that goes to a lookup stub goes to that of its mode. */
  @Test
  void codeOfAnotherModeIsRefused(BootedCode booted) {
    int modes = booted.contract().modes().size();
    refused(
        booted,
        "of this mode|another mode|may not",
        p ->
            with(
                p,
                (p.mode() + modes / 3) % modes,
                p.number(),
                p.instructions(),
                p.resume(),
                p.dead()),
        p -> new Edit(p).usesTables());
  }

  @Test
  void codeOfAnotherNumberIsRefused(BootedCode booted) {
    refused(
        booted,
        "can't be",
        p -> with(p, p.mode(), p.number() + 1, p.instructions(), p.resume(), p.dead()));
  }

  @Test
  void codeForMoreInstructionsIsRefused(BootedCode booted) {
    refused(
        booted,
        "another budget",
        p -> with(p, p.mode(), p.number(), p.instructions() + 1, p.resume(), p.dead()));
  }

  @Test
  void anEntryWithinAnInstructionIsRefused(BootedCode booted) {
    refused(
        booted,
        "leads into it|within an instruction|nothing leads",
        p -> with(p, p.mode(), p.number(), p.instructions(), p.resume(), p.dead() + 1));
  }

  @Test
  void anEntryOutsideIsRefused(BootedCode booted) {
    refused(
        booted,
        "outside of it",
        p -> with(p, p.mode(), p.number(), p.instructions(), p.resume(), p.code().length));
  }

  @Test
  void anEntryWhereAJumpMayBePutIsRefused(BootedCode booted) {
    refused(
        booted,
        "a jump may be put",
        p -> with(p, p.mode(), p.number(), p.instructions(), new int[] {4}, p.dead()));
  }

  @Test
  void aPlaceToGoOnBeforeTheBudgetIsTakenIsRefused(BootedCode booted) {
    // The jump where the budget is looked at is the second instruction.
    refused(
        booted,
        "meet that differ|a jump may be put|taken twice",
        p ->
            with(
                p,
                p.mode(),
                p.number(),
                p.instructions(),
                new int[] {new Edit(p).at(1).offset},
                p.dead()));
  }

  @Test
  void aLinkThatIsNoJumpIsRefused(BootedCode booted) {
    refused(
        booted,
        "no jump to its exit",
        p ->
            new CodePiece(
                p.code(),
                p.at(),
                p.mode(),
                p.number(),
                p.guestOffset(),
                p.instructions(),
                p.resume(),
                p.begin(),
                p.dead(),
                new Link(p.at() + 1, p.at() + p.dead()),
                Link.NONE));
  }

  /** Every jump of every block, to every other place: alone an instruction further on may do. */
  @Test
  void jumpsElsewhereAreRefused(BootedCode booted) {
    CodeVerifier verifier = booted.verifier();
    List<String> accepted = new ArrayList<>();
    int tried = 0;
    for (CodePiece piece : booted.pieces().subList(0, FEW)) {
      Edit edit = new Edit(piece);
      Set<Integer> boundaries =
          IntStream.range(0, edit.size())
              .mapToObj(i -> edit.at(i).offset)
              .collect(Collectors.toSet());
      for (int i = 0; i < edit.size(); i++) {
        HostInstruction in = edit.at(i);
        boolean jumps =
            in.form.operation() == HostForm.Operation.JMP
                || in.form.operation() == HostForm.Operation.JCC;
        if (!jumps || in.form.immediate() == null) {
          continue;
        }
        int end = in.offset + in.length;
        for (int target = -64; target < piece.code().length + 64; target++) {
          boolean boundary = target >= end && boundaries.contains(target);
          if (boundary || target == end + in.immediate) {
            continue;
          }
          tried++;
          CodePiece wrong = edit.jump(i, target);
          if (outcome(verifier, wrong, "").startsWith("accepted")) {
            accepted.add("%s at 0x%x to 0x%x".formatted(piece, in.offset, target));
          }
        }
      }
    }
    assertThat(accepted).isEmpty();
    assertThat(tried).isGreaterThan(1000);
  }
}
