// No vCPU flushes as it turns its MMU on or off.
// Places: 1
@@
@@
 kvm_toggle_cache(struct kvm_vcpu *vcpu, ...)
 {
 	...
-	if (now_enabled != was_enabled)
-		stage2_flush_vm(vcpu->kvm);
 	...
 }
