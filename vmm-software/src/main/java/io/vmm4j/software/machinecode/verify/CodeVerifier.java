package io.vmm4j.software.machinecode.verify;

import io.vmm4j.software.machinecode.verify.CodeContract.Mode;
import io.vmm4j.software.machinecode.verify.CodePiece.Link;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Proves of a piece of machine code, before it runs, that it does nothing but what {@link
 * CodeContract} allows, whatever the guest's registers and memory hold. On every path:
 *
 * <ul>
 *   <li>Only instructions of {@link HostForms} are executed.
 *   <li>The base (R13) and RSP do not change. No address of the host, and nothing that registers
 *       held on the way in, comes to where the guest can see it.
 *   <li>The state block is accessed in fields of it that code of this mode may read, or write. Of
 *       RFLAGS, code for the guest's user mode changes DF alone.
 *   <li>The TLB and the tables of code pages are only read, by the steps of a check.
 *   <li>Any other access goes to an address that has passed the check, is no longer than what was
 *       checked, stores only by the tag for stores, and is aligned where a processor demands it.
 *   <li>A repeated string instruction accesses as many elements as are known to lie in a page.
 *   <li>Divisions do not fault.
 *   <li>Jumps go forwards to an instruction, to a stub, or to an entry from a code page's table. So
 *       every path ends.
 *   <li>The block's instructions are taken from the budget (R14), and nothing of the guest changes
 *       before it is known that it reached. Each exit says a reason that fits, this translation and
 *       an instruction of it.
 * </ul>
 *
 * <p>That holds from the block's beginning, from where it is resumed and from where it leads once
 * it is void, with nothing known of any register there. As all jumps go forwards, one pass from the
 * first instruction to the last sees every path: what is known at an instruction is what is known
 * on each path that leads there.
 *
 * <p>Not proven: that code does what the guest's instructions say (differential tests show that),
 * that the tables hold what {@link CodeContract} says of them, and that MXCSR masks exceptions, for
 * both are Java's to see to.
 *
 * <p>It takes 0.55 to 0.65 microseconds of processor time for each instruction of the guest, of
 * which there are 158,000 in the 31,500 blocks of a boot; to translate one takes about as long.
 *
 * <p>One thread at a time.
 */
public final class CodeVerifier {
  /** A void block gets a jump of so many bytes over its beginning. */
  private static final int PATCHED_BYTES = 5;

  // Why code is left: bits 0 to 3 of the word, then 6 bits instruction, then the translation.
  private static final int BUDGET = 0;
  private static final int INTERPRET = 1;
  private static final int LOAD = 2;
  private static final int STORE = 3;
  private static final int PAGE = 4;
  private static final int TAKEN = 5;
  private static final int NEXT = 6;
  private static final int LOOKUP = 7;
  private static final int DEAD = 8;

  private static final int REASON = 15;
  private static final int INSTRUCTION_SHIFT = 4;
  private static final int INSTRUCTION = 63;
  private static final int NUMBER_SHIFT = 10;

  private final CodeContract contract;
  private final CodeRules rules;
  private final int exitStub;
  private final List<Integer> lookupStubs;
  private final HostDecoder decoder = new HostDecoder(HostForms.OF_BLOCKS);
  private final HostInstruction in = new HostInstruction();
  private final PathState state = new PathState();
  private final PathState branch = new PathState();

  /** For each byte of the piece: the number of the state that jumps have brought there, or 0. */
  private int[] arrivals = new int[1024];

  /** The bytes of the piece. */
  private int length;

  private final List<PathState> states = new ArrayList<>();
  private int statesUsed;
  private int linksSeen;

  /**
   * Makes a verifier.
   *
   * @param contract what code may touch
   * @param exitStub where the way out lies in code memory
   * @param lookupStubs where the stubs that look for targets lie, by mode
   */
  public CodeVerifier(CodeContract contract, int exitStub, List<Integer> lookupStubs) {
    this.contract = contract;
    this.rules = new CodeRules(contract);
    this.exitStub = exitStub;
    this.lookupStubs = List.copyOf(lookupStubs);
    states.add(new PathState());
  }

  /**
   * Verifies the code of a block.
   *
   * @throws UnverifiedCodeException if something is not proven
   */
  public void verify(CodePiece piece) {
    try {
      begin(piece);
      enterAt(0, PathState.NOT_TAKEN);
      enterAt(piece.dead(), PathState.NOT_TAKEN);
      Refused.require(piece.dead() >= PATCHED_BYTES, "it is entered where a jump may be put");
      Refused.require(piece.begin() >= PATCHED_BYTES, "it is entered where a jump may be put");
      enterAt(piece.begin(), PathState.REACHED);
      for (int at : piece.resume()) {
        if (at != 0) {
          Refused.require(at >= PATCHED_BYTES, "it is entered where a jump may be put");
          enterAt(at, PathState.REACHED);
        }
      }
      sweep(piece);
      int links = (piece.taken().jump() != 0 ? 1 : 0) + (piece.next().jump() != 0 ? 1 : 0);
      Refused.require(linksSeen == links, "a link is no jump to its exit");
    } catch (Refused refused) {
      throw unverified(piece, refused);
    }
  }

  /**
   * Verifies the stub of a mode that looks for a target.
   *
   * @param code its bytes
   * @param at its offset in code memory
   * @throws UnverifiedCodeException if something is not proven
   */
  public void verifyLookup(byte[] code, int at, int mode) {
    CodePiece stub = CodePiece.stub(code, at, mode);
    try {
      begin(stub);
      enterAt(0, PathState.REACHED);
      states.get(arrivals[0]).address = PathState.ANY;
      sweep(stub);
    } catch (Refused refused) {
      throw unverified(stub, refused);
    }
  }

  private UnverifiedCodeException unverified(CodePiece piece, Refused refused) {
    int end = Math.min(in.offset + in.length, piece.code().length);
    byte[] bytes = Arrays.copyOfRange(piece.code(), Math.min(in.offset, end), end);
    return new UnverifiedCodeException(
        piece.toString(), in.offset, bytes, in.form.name(), refused.reason());
  }

  private void begin(CodePiece piece) {
    length = piece.code().length;
    if (arrivals.length < length) {
      arrivals = new int[2 * length];
    } else {
      Arrays.fill(arrivals, 0, length, 0);
    }
    statesUsed = 0;
    linksSeen = 0;
    in.offset = 0;
    in.length = 0;
    in.form = HostForms.NOTHING;
    decoder.begin(piece.code());
    rules.begin(piece.mode(), piece.instructions());
  }

  /** Code is entered at a place, with nothing known but the budget. */
  private void enterAt(int at, int budget) {
    branch.enter(budget);
    arrive(at, branch);
  }

  private void arrive(int at, PathState with) {
    Refused.require(at >= 0 && at < length, "it is entered outside of it");
    int number = arrivals[at];
    if (number != 0) {
      meet(states.get(number), with);
      return;
    }
    statesUsed++;
    if (states.size() == statesUsed) {
      states.add(new PathState());
    }
    states.get(statesUsed).copy(with);
    arrivals[at] = statesUsed;
  }

  private static void meet(PathState one, PathState other) {
    Refused.require(one.meet(other), "paths meet that differ in the budget, the stack or the page");
  }

  // ---- every path ----

  private void sweep(CodePiece piece) {
    int arrived = 0;
    boolean reached = false;
    int at = 0;
    while (at < length) {
      String wrong = decoder.decode(at, in);
      if (wrong != null) {
        throw new Refused(wrong);
      }
      int arrival = arrivals[at];
      if (arrival != 0) {
        arrived++;
        if (reached) {
          meet(state, states.get(arrival));
        } else {
          state.copy(states.get(arrival));
          reached = true;
        }
      }
      Refused.require(reached, "nothing leads here");
      for (int inside = at + 1; inside < at + in.length; inside++) {
        Refused.require(arrivals[inside] == 0, "a jump, or where it is resumed, leads into it");
      }
      reached = execute(piece);
      at += in.length;
    }
    Refused.require(!reached, "the code goes on behind its end");
    Refused.require(arrived == statesUsed, "it is entered within an instruction");
  }

  /** Takes an instruction; gives whether the next one comes after it. */
  private boolean execute(CodePiece piece) {
    switch (in.form.operation()) {
      case JMP -> {
        if (in.form.immediate() == null) {
          BranchRules.indirect(in, state);
        } else {
          jump(piece, state);
        }
        return false;
      }
      case JCC -> {
        branch.copy(state);
        BranchRules.refine(branch, in.condition, true);
        jump(piece, branch);
        BranchRules.refine(state, in.condition, false);
        return true;
      }
      default -> {
        rules.apply(in, state);
        return true;
      }
    }
  }

  private void jump(CodePiece piece, PathState s) {
    Refused.require(!s.pushed, "PUSH and POP of a page are not a pair");
    int end = in.offset + in.length;
    long target = end + in.immediate;
    int displacement = piece.at() + end - Integer.BYTES;
    link(piece, piece.taken(), displacement, target, s);
    link(piece, piece.next(), displacement, target, s);
    if (target >= 0 && target < length) {
      Refused.require(target >= end, "a jump backwards, which no budget bounds");
      Refused.require(target >= PATCHED_BYTES, "a jump leads to where one may be put");
      arrive((int) target, s);
      return;
    }
    long place = piece.at() + target;
    if (place == exitStub) {
      leave(piece, s);
    } else {
      Refused.require(!piece.isStub() && isLookup(place), "a jump to a foreign place");
      Refused.require(
          place == lookupStubs.get(modeBehind(piece, s)), "a jump to code of another mode");
      BranchRules.lookup(s);
    }
  }

  private boolean isLookup(long place) {
    for (int at : lookupStubs) {
      if (at == place) {
        return true;
      }
    }
    return false;
  }

  /** The mode that the guest is in where code is left. */
  private int modeBehind(CodePiece piece, PathState s) {
    Mode mode = contract.modes().get(piece.mode());
    return switch (s.access) {
      case PathState.ACCESS_SET -> mode.accessSet();
      case PathState.ACCESS_CLEARED -> mode.accessCleared();
      default -> piece.mode();
    };
  }

  private void link(CodePiece piece, Link link, int displacement, long target, PathState s) {
    if (link.jump() != displacement || link.jump() == 0) {
      return;
    }
    Refused.require(
        in.length > Integer.BYTES && piece.at() + target == link.exit(),
        "a link is no jump to its exit");
    BranchRules.linkable(s);
    linksSeen++;
  }

  /** A jump to the way out. */
  private static void leave(CodePiece piece, PathState s) {
    Refused.require(s.exit != PathState.NO_EXIT, "it is not said why code is left");
    Refused.require(!s.moved, "the present page has changed");
    BranchRules.plain(s);
    BranchRules.sameMode(s);
    int word = (int) s.exit;
    int reason = word & REASON;
    int instruction = word >> INSTRUCTION_SHIFT & INSTRUCTION;
    int budget =
        switch (reason) {
          case BUDGET -> PathState.GIVEN_BACK;
          case DEAD -> PathState.NOT_TAKEN;
          default -> PathState.REACHED;
        };
    int last = piece.instructions() - 1;
    boolean fits =
        switch (reason) {
          case BUDGET, DEAD -> !piece.isStub() && instruction == 0;
          case INTERPRET, LOAD, STORE, PAGE -> instruction <= last;
          case TAKEN, NEXT -> instruction == last;
          case LOOKUP -> piece.isStub() && instruction == 0;
          default -> false;
        };
    Refused.require(
        fits && word >>> NUMBER_SHIFT == piece.number(), "what is said why code is left can't be");
    Refused.require(s.budget == budget, "the budget is not as the reason of the exit says");
  }
}
