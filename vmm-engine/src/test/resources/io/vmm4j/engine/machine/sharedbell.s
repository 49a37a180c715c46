.code16
.intel_syntax noprefix
# All processors ring the one doorbell of a SharedBell, each waiting until what it has written for
# the device was answered. Ends with 42 when all have been answered as often as there are rounds.
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ecx, 0x1B           # IA32_APIC_BASE: x2APIC
  rdmsr
  mov bl, ah
  or ah, 0x0C
  wrmsr
  test bl, 1              # the bootstrap processor's
  jz each
  mov ecx, 0x830          # INIT and start-up, page 0x10, to all others
  xor edx, edx
  mov eax, 0xC4500
  wrmsr
  mov eax, 0xC4610
  wrmsr
each:
  mov ecx, 0x802          # id
  rdmsr
  lea edi, [eax * 4]
  mov ax, 0xB000
  mov es, ax
  xor ebx, ebx
again:
  inc ebx
  mov [edi + 0x600], ebx
  mov es:[0], ebx
wait:
  pause
  cmp [edi + 0x640], ebx
  jne wait
  mov dx, 0x5D0           # how many rounds there are to be
  in eax, dx
  cmp ebx, eax
  jb again
  lock inc dword ptr [0x680]
  test edi, edi
  jnz stop
all:
  pause
  mov dx, 0x5D4           # how many processors there are
  in eax, dx
  cmp [0x680], eax
  jne all
  mov al, 42
  out 0xF4, al
stop:
  hlt
  jmp stop
