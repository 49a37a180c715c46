package io.vmm4j.software.machinecode.verify;

import static io.vmm4j.software.machinecode.verify.Convention.ADDRESS;
import static io.vmm4j.software.machinecode.verify.Convention.BASE;
import static io.vmm4j.software.machinecode.verify.Convention.INDEX;

import io.vmm4j.software.machinecode.verify.HostForm.Operation;
import java.util.ArrayList;
import java.util.List;

/** A list of mistakes, the places where they can be planted, and what plants them. */
abstract class MistakeList {
  static final String NOT_ITS_ENTRY = "not that of the address|no tag of a table|value of the host";
  static final String NO_TABLE_OF_MODE = "of a table of this mode|not that of the address";
  static final String UNCHECKED = "did not come out of a check";
  static final String NO_OFFSET = "not an offset into|no page of a table";
  static final String NOT_PAID = "not paid|paths meet";
  static final String FAULT = "could fault";
  static final String OTHER = "";
  static final String NOT_THERE = "no instruction that may occur|no form";
  static final String NO_CODE = "not (the offset|the address|the page) of (the )?code";

  final CodeContract contract;
  private final List<Mistake> all = new ArrayList<>();

  MistakeList(CodeContract contract) {
    this.contract = contract;
  }

  /**
   * A mistake.
   *
   * @param name what is wrong
   * @param reason a pattern of the reason it is refused for
   * @param place whether an instruction is where it can be planted
   * @param change plants it
   */
  record Mistake(String name, String reason, Place place, Change change) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Whether an instruction is like something. */
  interface Place {
    boolean is(Edit code, int index);

    default Place then(Place next) {
      return (code, i) -> is(code, i) && i + 1 < code.size() && next.is(code, i + 1);
    }

    default Place thenSecond(Place second) {
      return (code, i) -> is(code, i) && i + 2 < code.size() && second.is(code, i + 2);
    }

    default Place and(Place other) {
      return (code, i) -> is(code, i) && other.is(code, i);
    }

    default Place behind(Place before) {
      return (code, i) -> is(code, i) && i > 0 && before.is(code, i - 1);
    }
  }

  /** Changes the code at an instruction. */
  interface Change {
    void apply(Edit code, int index);
  }

  /** All of them. */
  final List<Mistake> all() {
    return List.copyOf(all);
  }

  final void add(String name, String reason, Place place, Change change) {
    all.add(new Mistake(name, reason, place, change));
  }

  final void missing(String name, String reason, Place place) {
    add("missing: " + name, reason, place, Edit::remove);
  }

  // ---- places ----

  static Place operation(Operation operation) {
    return (code, i) -> code.at(i).form.operation() == operation;
  }

  static Place jump(int condition) {
    return (code, i) ->
        code.at(i).form.operation() == Operation.JCC && code.at(i).condition == condition;
  }

  /** An operation of a register with a constant. */
  static Place constant(Operation operation, int register) {
    return (code, i) ->
        code.at(i).form.operation() == operation
            && code.at(i).rmIs(register)
            && code.at(i).form.immediate() != null;
  }

  static Place registers(Operation operation, int reg, int rm) {
    return (code, i) ->
        code.at(i).form.operation() == operation && code.at(i).regIs(reg) && code.at(i).rmIs(rm);
  }

  static Place table(Operation operation) {
    return (code, i) -> code.at(i).form.operation() == operation && code.at(i).isAt(BASE, INDEX);
  }

  /** The same, of an element of an entry in tables of data or code pages. */
  final Place element(Operation operation, boolean data, int element) {
    return (code, i) -> {
      int at = code.at(i).displacement;
      boolean ofData = at < contract.modes().getFirst().pages();
      int bytes = data ? contract.data().entryBytes() : contract.pages().entryBytes();
      return table(operation).is(code, i) && ofData == data && (at & bytes - 1) == element;
    };
  }

  final Place hostPage() {
    return element(Operation.ADD, true, contract.hostPage());
  }

  final Place anyTag() {
    return (code, i) -> table(Operation.SUB).is(code, i);
  }

  static Place access(boolean stores, int leastBytes) {
    return (code, i) -> {
      HostInstruction in = code.at(i);
      return in.isAt(ADDRESS)
          && in.form.rm() != null
          && in.form.rm().writes() == stores
          && in.bytes(in.form.rm().memorySize()) >= leastBytes;
    };
  }
}
