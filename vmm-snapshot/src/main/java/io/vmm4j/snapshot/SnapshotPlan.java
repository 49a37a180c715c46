package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Everything a snapshot says, read whole and checked: the first phase of a restore. The memory is
 * where the {@link MemorySink} put it.
 *
 * @param prologue what it says of itself
 * @param machine the machine's configuration
 * @param states the states, in the order of the stream
 * @param mappings the mappings of device memory, in the order of the stream
 * @param leftovers what is not known here, to be written again
 * @param memory what the memory consists of, by region
 * @param digest the footer's
 * @param memoryDigest of the memory, which a delta to this snapshot needs; absent if the memory was
 *     not read
 */
public record SnapshotPlan(
    Prologue prologue,
    MachineDescription machine,
    List<StateChunk> states,
    List<MappingState> mappings,
    Leftovers leftovers,
    List<MemoryMakeUp> memory,
    SnapshotDigest digest,
    Optional<MemoryDigest> memoryDigest) {

  /** Copies the lists. */
  public SnapshotPlan {
    states = List.copyOf(states);
    mappings = List.copyOf(mappings);
    memory = List.copyOf(memory);
  }

  /** The state of a thing. */
  public Optional<StateChunk> state(String type, String path) {
    return states.stream().filter(s -> s.type().equals(type) && s.path().equals(path)).findFirst();
  }

  /**
   * The state of a thing that the machine can't be without.
   *
   * @throws SnapshotException.Corrupt if there is none
   */
  public StateChunk requireState(String type, String path) {
    return state(type, path)
        .orElseThrow(() ->
            new SnapshotException.Corrupt(
                digest.byteCount(), "the state of '%s' (%s) is absent".formatted(path, type)));
  }

  /**
   * Makes sure that nothing critical is left over.
   *
   * @param known whether somebody takes the state
   * @return the optional states that nobody takes, to be reported
   * @throws SnapshotException.Incompatible if a critical state is not known; it is named
   */
  public List<StateChunk> unknownStates(Predicate<StateChunk> known) {
    List<StateChunk> unknown = new ArrayList<>();
    for (StateChunk state : states) {
      if (!known.test(state)) {
        if (state.critical()) {
          throw new SnapshotException.Incompatible(
              "state of '%s' of type '%s'".formatted(state.path(), state.type()),
              "it is critical and nothing here takes it; use the release that wrote it");
        }
        unknown.add(state);
      }
    }
    return unknown;
  }
}
